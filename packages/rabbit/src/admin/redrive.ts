import {
  ConfigurationError,
  type Deadline,
  MessageDeliveryFailure,
  type RedriveReport,
  type RedriveRequest,
  RedriveTally,
  systemClock,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import type { ClientChannel, ClientConnection, ClientDelivery, QueueFacts } from '../client/client.ts'
import { ExchangeChannel, type PublishOutcome } from '../send/exchange-channel.ts'
import { brokerCodeOf, mapError } from '../connection/map-error.ts'
import { waitAtMost } from '../connection/wait-at-most.ts'
import { originalOf, originOf } from './dead-letter.ts'

/** Copies that may wait for their confirm together. */
const AT_ONCE = 64

/** Moves the dead letters of a queue back. Each is taken with `basic.get` and acknowledged when the broker has
 *  confirmed its copy; what is not acknowledged returns to its place when the channel closes. */
export async function redrive(connection: ClientConnection, request: RedriveRequest): Promise<RedriveReport> {
  const { name, facts } = await findDeadQueue(connection, request)
  const reader = await connection.openChannel()
  const run = new Run(reader, new ExchangeChannel(await connection.openConfirmChannel()), name, request)
  try {
    return await run.move(facts.messageCount)
  } finally {
    // Letters that stay are back in their place when the broker has answered; one that does not is not waited for.
    await waitAtMost(systemClock, reader.close())
  }
}

class Run {
  readonly #reader: ClientChannel
  readonly #channel: ExchangeChannel
  readonly #queue: string
  readonly #request: RedriveRequest
  readonly #tally = new RedriveTally()
  readonly #moving = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(reader: ClientChannel, channel: ExchangeChannel, queue: string, request: RedriveRequest) {
    this.#reader = reader
    this.#channel = channel
    this.#queue = queue
    this.#request = request
    reader.onClosed = (reason) => {
      if (reason !== undefined) this.#failure ??= { error: mapError(reason, { phase: 'confirm', delivery: 'unknown' }) }
    }
  }

  async move(total: number): Promise<RedriveReport> {
    const { deadline, dryRun } = this.#request
    try {
      for (let looked = 0; looked < total && this.#failure === undefined && (await this.#hasRoom()); looked += 1) {
        const letter = await deadline.race(this.#reader.get(this.#queue), READING)
        // Somebody else took it.
        if (letter === null) break
        this.#take(letter)
      }
    } catch (error) {
      this.#failure ??= { error }
    }
    try {
      // Also after a failure: a copy that was confirmed and its letter not acknowledged would be there twice.
      await deadline.race(Promise.all(this.#moving), CONFIRMING)
    } catch (error) {
      this.#failure ??= { error }
    }
    if (this.#failure !== undefined) throw this.#tally.interrupted(mapError(this.#failure.error))
    return this.#tally.report(dryRun ? total : total - this.#tally.moved)
  }

  /** Whether another letter may be looked at; waits for those under way when they decide that. */
  async #hasRoom(): Promise<boolean> {
    const { limit, deadline } = this.#request
    const most = limit ?? Infinity
    for (;;) {
      if (this.#tally.moved >= most || this.#failure !== undefined) return false
      if (this.#moving.size < AT_ONCE && this.#tally.moved + this.#moving.size < most) return true
      await deadline.race(Promise.race(this.#moving), CONFIRMING)
    }
  }

  #take(letter: ClientDelivery): void {
    const { to, dryRun } = this.#request
    const queue = to ?? originOf(letter)
    if (queue === undefined) return this.#tally.skip('it does not say which queue it came from: name one with --to')
    if (queue === this.#queue) return this.#tally.skip(`it came from ${queue}, where it is`)
    if (dryRun) return this.#tally.move()
    const moving = this.#post(letter, queue).then(
      () => void this.#moving.delete(moving),
      (error: unknown) => {
        this.#moving.delete(moving)
        this.#failure ??= { error }
      },
    )
    this.#moving.add(moving)
  }

  async #post(letter: ClientDelivery, queue: string): Promise<void> {
    const outcome = await new Promise<PublishOutcome>((resolve) => {
      const isSent = this.#channel.publish(originalOf(letter, queue), resolve)
      if (!isSent) resolve({ kind: 'unsent' })
    })
    switch (outcome.kind) {
      case 'confirmed':
        if (!this.#reader.acknowledge(letter.deliveryTag, false))
          throw new TransportDriverError(
            `The connection went when a copy was in ${queue} and its letter still in ${this.#queue}`,
            {
              retryable: true,
            },
          )
        return this.#tally.move()
      case 'returned':
        return this.#tally.skip(`there is no queue ${queue}`)
      case 'nacked':
        throw new MessageDeliveryFailure(`The queue ${queue} takes no more messages`, REFUSED)
      case 'unsent':
        throw new TransportDriverError('The channel is closed', { retryable: true })
      default:
        throw mapError(outcome.error, CONFIRMING)
    }
  }
}

const READING = { phase: 'connect', delivery: 'not-sent', waitingFor: 'dead letter' } as const
const CONFIRMING = { phase: 'confirm', delivery: 'unknown' } as const
const REFUSED = { phase: 'confirm', delivery: 'not-sent', attempts: 1, elapsedMs: 0, retryable: true } as const

interface DeadQueue {
  readonly name: string
  readonly facts: QueueFacts
}

/** The queue the letters are in: the name with `.dead`, as this driver makes it, else the name itself. */
async function findDeadQueue(connection: ClientConnection, { source, deadline }: RedriveRequest): Promise<DeadQueue> {
  const names = source.endsWith('.dead') ? [source] : [`${source}.dead`, source]
  for (const name of names) {
    const facts = await lookUp(connection, name, deadline)
    if (facts === undefined) continue
    if (facts.consumerCount === 0) return { name, facts }
    throw new ConfigurationError(
      `The queue ${name} has ${facts.consumerCount} consumers, so what is in it are no dead letters: name the dead-letter queue, or stop those who read it`,
      { option: 'queue' },
    )
  }
  throw new ConfigurationError(
    `There is no queue ${names.join(' and no queue ')}: oslo-msg queues lists those of the virtual host`,
    { option: 'queue' },
  )
}

/** On a channel of its own: a queue that is missing costs the channel. */
async function lookUp(connection: ClientConnection, name: string, deadline: Deadline): Promise<QueueFacts | undefined> {
  const channel = await connection.openChannel()
  try {
    return await deadline.race(channel.checkQueue(name), { phase: 'declare', delivery: 'not-sent' })
  } catch (error) {
    if (brokerCodeOf(error) === 404) return undefined
    throw mapError(error)
  } finally {
    void channel.close()
  }
}
