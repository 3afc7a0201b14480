import type { ChannelModel } from 'amqplib'
import { DriverLoadFailure, Lifetime } from '@oslo-messaging/core/driver'
import { AmqplibChannel, AmqplibConfirmChannel, type ChannelOwner } from './client-channel.ts'
import type { ClientChannel, ClientConfirmChannel, ClientConnection, ConnectOptions } from './client-types.ts'
import { DirectConnection } from './direct-connection.ts'
import type { IncomingFrames } from './incoming-frames.ts'
import { channelInternals, connectionInternals } from './internals.ts'
import { waitForAnswer } from './wait-for-answer.ts'

/** The farewell of a connection is given so long to leave the machine. */
const FAREWELL_MS = 1000
/** So many channels may be closing without an answer: a broker that is stuck with one queue answers late, one that has
 *  left so many does not answer at all. */
const MOST_UNANSWERED_CLOSES = 16

/** A connection of amqplib, open. It is over at the first of: amqplib says so, the socket is closed, what arrives
 *  cannot be read. Then its channels are over, and the socket goes. */
export class AmqplibConnection implements ClientConnection, ChannelOwner {
  readonly brokerVersion: string
  readonly answerTimeoutMs: number
  readonly confirmTimeoutMs: number
  onClosed: ((reason: unknown) => void) | undefined
  onBlocked: ((reason: string | null) => void) | undefined
  readonly #model: ChannelModel
  readonly #direct: DirectConnection
  readonly #unansweredCloses = new Set<object>()
  #error: unknown
  #blockedReason: string | null = null
  #isClosing = false
  #isDoubted = false
  #isOver = false
  /** Ends whoever waits for an answer. */
  readonly #life = new Lifetime()

  /** Throws DriverLoadFailure. */
  constructor(
    model: ChannelModel,
    incoming: IncomingFrames,
    { answerTimeoutMs, confirmTimeoutMs }: Pick<ConnectOptions, 'answerTimeoutMs' | 'confirmTimeoutMs'>,
  ) {
    this.#model = model
    this.answerTimeoutMs = answerTimeoutMs
    this.confirmTimeoutMs = confirmTimeoutMs
    this.brokerVersion = model.connection.serverProperties.version
    this.#direct = new DirectConnection(connectionInternals(model.connection))
    model.on('error', (error) => this.#fault(error))
    // `error` comes before it and holds the reason; 320 comes as `close` alone.
    model.on('close', (error) => this.#end(error))
    model.on('blocked', (reason) => this.#setBlocked(reason))
    model.on('unblocked', () => this.#setBlocked(null))
    this.#direct.socket.on('close', () => this.#end(new Error('The socket was closed')))
    this.#direct.read(incoming)
  }

  get bytesReceived(): number {
    return this.#direct.socket.bytesRead
  }

  get reason(): unknown {
    return this.#error
  }

  get isOver(): boolean {
    return this.#isOver || this.#isClosing || this.#error !== undefined
  }

  get blockedReason(): string | null {
    return this.#blockedReason
  }

  async openChannel(): Promise<ClientChannel> {
    return await this.#open(
      () => this.#model.createChannel(),
      (channel) => new AmqplibChannel(this, channel, this.#direct),
    )
  }

  async openConfirmChannel(): Promise<ClientConfirmChannel> {
    return await this.#open(
      () => this.#model.createConfirmChannel(),
      (channel) => new AmqplibConfirmChannel(this, channel, this.#direct),
    )
  }

  async updateSecret(secret: string): Promise<void> {
    if (this.isOver) throw this.#error ?? new Error('Connection closed')
    const answer = this.#model.updateSecret(Buffer.from(secret), 'The old one is about to expire')
    const question = { what: 'connection.update-secret', ms: this.answerTimeoutMs, isHeldUp: () => false }
    await this.#life.race(waitForAnswer(answer, question))
  }

  async close(): Promise<void> {
    if (this.isOver) return
    this.#isClosing = true
    // amqplib never settles its own promise when the socket dies while it closes.
    await this.#life.race(this.#model.close()).catch((error: unknown) => this.#end(error))
  }

  destroy(reason: Error): void {
    this.#error ??= reason
    this.#end(reason)
    this.#direct.socket.destroy()
  }

  /** One channel may be stuck, with a queue whose node is down. A broker that does not even open another one is not
   *  there any more, whatever its heartbeats say. */
  noteNoAnswer(): void {
    if (this.#isDoubted || this.isOver) return
    this.#isDoubted = true
    this.openChannel().then(
      (channel) => {
        this.#isDoubted = false
        void channel.close()
      },
      (error: unknown) => this.destroy(new Error('The broker answers nothing any more', { cause: error })),
    )
  }

  noteUnansweredClose(channel: object): void {
    this.#unansweredCloses.add(channel)
    if (this.#unansweredCloses.size > MOST_UNANSWERED_CLOSES)
      this.destroy(new Error(`The broker has not answered the closing of ${this.#unansweredCloses.size} channels`))
  }

  noteAnsweredClose(channel: object): void {
    this.#unansweredCloses.delete(channel)
  }

  async #open<C extends AmqplibChannel>(
    create: () => Promise<unknown>,
    wrap: (channel: ReturnType<typeof channelInternals>) => C,
  ): Promise<C> {
    if (this.isOver) throw this.#error ?? new Error('Connection closed')
    const { fresh, opened } = this.#direct.begin(create)
    if (fresh === undefined) {
      await opened
      throw new DriverLoadFailure('rabbit', 'amqplib opened a channel past its connection')
    }
    const channel = wrap(channelInternals(fresh))
    await channel.opened(opened)
    return channel
  }

  /** The other side has broken the rules and is told so: nothing more is expected of it, not even that it listens. */
  #fault(error: unknown): void {
    this.#error ??= error
    // amqplib says what is wrong after it has told us.
    setImmediate(() => this.#end(error))
  }

  #end(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#error ??= reason
    // Its channels hear of it first.
    this.#direct.end(this.#error ?? new Error('Connection closed'))
    const { socket } = this.#direct
    socket.destroySoon()
    if (!socket.destroyed) {
      const timer = setTimeout(() => socket.destroy(), FAREWELL_MS)
      socket.once('close', () => clearTimeout(timer))
    }
    this.#life.end(this.#error ?? new Error('Connection closed'))
    if (!this.#isClosing) this.onClosed?.(this.#error ?? new Error('Connection closed'))
  }

  #setBlocked(reason: string | null): void {
    this.#blockedReason = reason
    this.onBlocked?.(reason)
  }
}
