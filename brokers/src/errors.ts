/** A broker that this machine cannot give: nothing is broken, something is missing.
 *  `message` is one line that ends with what would help; tests pass it to `skipOrFail`. */
export class BrokerUnavailable extends Error {
  readonly code = 'BROKER_UNAVAILABLE'
  /** `rabbit`, `kafka`, `artemis`, `broker-j`, or what else was asked for. */
  readonly broker: string
  /** What stands in the way. */
  readonly problem: string
  /** What a person can do about it, in words that follow a colon. */
  readonly remedy: string

  constructor(broker: string, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${broker} is not available here: ${oneLine(problem)}; remedy: ${oneLine(remedy)}`, options)
    this.name = 'BrokerUnavailable'
    this.broker = broker
    this.problem = oneLine(problem)
    this.remedy = oneLine(remedy)
  }
}

/** A broker that was there but did not start, or died while it was being started. `log` holds its last lines. */
export class BrokerStartFailed extends Error {
  readonly code = 'BROKER_START_FAILED'
  readonly log: string

  constructor(broker: string, problem: string, log: string, options?: ErrorOptions) {
    super(`${broker} did not start: ${problem}\n${log}`.trimEnd(), options)
    this.name = 'BrokerStartFailed'
    this.log = log
  }

  /** Another process took one of the ports between the choice and the bind: other ports will do. */
  get portTaken(): boolean {
    return /address already in use|eaddrinuse|failed to bind|port .* (in use|already)/i.test(this.log)
  }
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
