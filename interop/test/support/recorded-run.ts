/// <reference lib="esnext.disposable" />
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type DiagnosticEvents, isMessagingError } from '@oslo-messaging/core'

/** What happened when, milliseconds after the beginning. */
export interface Moment {
  readonly atMs: number
  readonly what: string
}

/** What became of a call or notification. */
export interface Ending {
  readonly outcome: string
  readonly tookMs: number
}

/** One run, for the page. */
export interface RecordedRun {
  /** What happens: the heading of the run. */
  readonly event: string
  readonly driver: string
  readonly ending: Ending
  /** What follows for whoever calls or notifies. */
  readonly meaning: string
  readonly moments: readonly Moment[]
}

/** Writes down what happens until it is disposed of: what is noted, and how connections and listeners fare. */
export class Recording implements Disposable {
  readonly moments: Moment[] = []
  readonly #begun = performance.now()
  readonly #onState = (event: unknown): void => {
    const { kind, name, state, error } = event as DiagnosticEvents['oslo-messaging:state']
    const reason = error instanceof Error ? `: ${error.message.split('\n')[0]}` : ''
    this.note(`${name.startsWith(kind) ? name : `${kind} ${name}`} is ${state}${reason}`)
  }

  constructor() {
    subscribe('oslo-messaging:state', this.#onState)
  }

  note(what: string): void {
    this.moments.push({ atMs: Math.round(performance.now() - this.#begun), what })
  }

  /** Notes how it ends: its result, or the error with phase and delivery. Never rejects. */
  async watch(name: string, work: () => Promise<unknown>): Promise<Ending> {
    this.note(`${name} begins`)
    const begun = performance.now()
    const outcome = await work().then(
      (result) => (result === undefined ? 'resolves' : `resolves with ${JSON.stringify(result)}`),
      (error: unknown) =>
        isMessagingError(error)
          ? `rejects: ${error.name}, phase \`${error.phase}\`, delivery \`${error.delivery}\``
          : `rejects: ${String(error)}`,
    )
    this.note(`${name} ${outcome}`)
    return { outcome, tookMs: Math.round(performance.now() - begun) }
  }

  [Symbol.dispose](): void {
    unsubscribe('oslo-messaging:state', this.#onState)
  }
}

const INTRODUCTION = `# When a broker or a server dies

What becomes of a call or a notification that is under way. Find the row that is like your case: the last column says what to do. Each row is a run on a real broker.

- **What begins while the broker is away waits for it,** and is done when the broker is back within the time limit. Start the broker; no service has to be restarted, because connections, servers and listeners come back by themselves.
- **An error with \`delivery\` \`not-sent\`: nothing has run.** Do it again.
- **\`confirmed\` or \`unknown\`: it may have run, or run in part.** Do it again only if it may run twice ([handling each message once](idempotency.md)).
- **What was heard just before the broker died may be heard again**, because the broker may not have noted that it was.

What the fields of an error mean: [errors](errors.md#may-i-try-again). What to look at first, by symptom: [runbook](operations/runbook.md). What else can fail, driver by driver: [RabbitMQ](rabbit.md#what-happens-when), [AMQP 1.0](amqp.md#what-happens-when), [Kafka](kafka-deployment-guide.md#what-happens-when).
`

const TIMELINES = `## The runs, moment by moment

Milliseconds since the beginning. Caller and server are one process with connections of their own, unless a process is killed, so a line may be of either. The broker is killed as by \`kill -9\`. \`is recovering\`, \`is connected\` and \`is consuming\` are what the service reports of itself (diagnostics channel \`oslo-messaging:state\`, and health). What it reports again and again is one line, with the number of times and the last time.
`

/** The page of recorded runs. `versions` says what they ran on; `command` runs them again and writes the page. */
export function pageOf(runs: readonly RecordedRun[], versions: string, command: string): string {
  const rows = runs.map(
    ({ event, driver, ending: { outcome, tookMs }, meaning }) =>
      `| ${event} | ${driver} | ${outcome} | ${tookMs < 1000 ? `${tookMs} ms` : `${(tookMs / 1000).toFixed(1)} s`} | ${meaning} |`,
  )
  const timelines = runs.map(({ event, driver, moments }) => {
    const lines = folded(moments).map(({ atMs, what }) => `${String(atMs).padStart(6)} ms  ${what}`)
    return [`### ${driver}: ${event}`, '', '```text', ...lines, '```'].join('\n')
  })
  return [
    INTRODUCTION,
    '| what happens | over | the call or notification | after | so |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `Times are those of one run (${versions}); how long a broker takes to start is most of them. Outcomes, and how often a method ran, are compared by the test: \`${command}\` runs it again and writes this page.`,
    '',
    TIMELINES,
    timelines.join('\n\n'),
    '',
  ].join('\n')
}

/** What is said more than once is said where it was said first, with how often and until when. */
function folded(moments: readonly Moment[]): readonly Moment[] {
  const byText = new Map<string, { first: number; last: number; times: number }>()
  for (const { atMs, what } of moments) {
    const text = withoutChance(what)
    const known = byText.get(text)
    if (known === undefined) byText.set(text, { first: atMs, last: atMs, times: 1 })
    else [known.last, known.times] = [atMs, known.times + 1]
  }
  return [...byText].map(([text, { first, last, times }]) => ({
    atMs: first,
    what: times === 1 ? text : `${text} (${times} times, last at ${last} ms)`,
  }))
}

/** Without what differs from run to run: ports and drawn names. */
function withoutChance(text: string): string {
  return text
    .replaceAll('`', '')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')
    .replaceAll(/\bscene-[0-9a-f]{8}/g, 'scene')
    .replaceAll(/\breply_[0-9a-f]{32}/g, 'replies')
}
