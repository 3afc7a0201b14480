import type { Socket } from 'node:net'
import { type Condition, type Frame, frameBytes, frameReader, headerBytes } from './frames.ts'
import type { OddLink } from './link.ts'
import type { Nodes } from './nodes.ts'
import type { OddPeerOptions } from './options.ts'
import { OddSession } from './session.ts'

/** One connection of a client, at this end. */
export class OddConnection {
  readonly options: OddPeerOptions
  readonly nodes: Nodes
  readonly sessions = new Map<number, OddSession>()
  /** What the client did that the specification, or what this peer has announced, forbids. */
  readonly violations: string[]
  /** What RabbitMQ's management node was asked. */
  readonly declared: string[]
  readonly nextName: () => string
  maxFrameSizeOfClient = 512
  readonly #socket: Socket
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #isFrozen = false

  constructor(socket: Socket, options: OddPeerOptions, shared: Shared) {
    this.#socket = socket
    this.options = options
    this.nodes = shared.nodes
    this.violations = shared.violations
    this.declared = shared.declared
    this.nextName = shared.nextName
    const read = frameReader((frame) => this.#take(frame))
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      if (this.#isFrozen) return
      try {
        read(bytes)
      } catch (error) {
        this.violated(error instanceof Error ? error.message : String(error))
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearInterval(this.#heartbeat)
      for (const session of this.sessions.values()) session.over()
      this.sessions.clear()
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** Every link of the address. */
  links(address: string): OddLink[] {
    return [...this.sessions.values()].flatMap(({ links }) =>
      [...links.values()].filter((link) => link.address === address),
    )
  }

  /** What this peer says as usual: `options.say` sees it first. */
  say(frame: Frame): void {
    const altered = this.options.say === undefined ? frame : this.options.say(frame, this)
    if (altered !== undefined) this.write(frameBytes(altered))
  }

  /** Sends any bytes. */
  write(bytes: Buffer): void {
    if (!this.#isFrozen && !this.#socket.destroyed) this.#socket.write(bytes)
  }

  /** Neither reads nor writes from now on; the socket stays open. */
  freeze(): void {
    this.#isFrozen = true
  }

  /** What came meanwhile is lost, so this is only for peers that were asked nothing. */
  thaw(): void {
    this.#isFrozen = false
  }

  /** Closes, with or without a reason; the client has to answer. */
  close(error?: Condition): void {
    this.say({ channel: 0, name: 'close', fields: error === undefined ? {} : { error } })
  }

  /** The socket ends without a word. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  end(): void {
    this.#socket.end()
  }

  violated(what: string): void {
    this.violations.push(what)
    this.close({ condition: 'amqp:connection:framing-error', description: what })
  }

  #take(frame: Frame): void {
    if (this.options.take?.(frame, this) === true) return
    const { name, fields, channel } = frame
    if (name === 'header') this.#onHeader(fields.code ?? 0)
    else if (name === 'sasl-init') {
      const code = this.options.saslCode ?? 0
      this.say({ channel: 0, name: 'sasl-outcome', fields: { code } })
      if (code !== 0) this.end()
    } else if (name === 'open') this.#onOpen(frame)
    else if (name === 'begin') this.#onBegin(frame)
    else if (name === 'close') {
      this.say({ channel: 0, name: 'close', fields: {} })
      this.end()
    } else if (name !== 'heartbeat') this.sessions.get(channel)?.take(frame)
  }

  #onHeader(protocol: number): void {
    this.write(headerBytes(protocol))
    if (protocol === 3)
      this.say({ channel: 0, name: 'sasl-mechanisms', fields: { mechanisms: ['ANONYMOUS', 'PLAIN'] } })
  }

  #onOpen({ fields }: Frame): void {
    const { product, version, maxFrameSize, channelMax, idleTimeOut } = this.options
    this.maxFrameSizeOfClient = Math.min(fields.maxFrameSize ?? 65_536, 65_536)
    this.say({
      channel: 0,
      name: 'open',
      fields: {
        containerId: 'odd-peer',
        ...(maxFrameSize === undefined ? {} : { maxFrameSize }),
        ...(channelMax === undefined ? {} : { channelMax }),
        ...(idleTimeOut === undefined ? {} : { idleTimeOut }),
        ...(product === undefined ? {} : { properties: { product, version: version ?? '' } }),
      },
    })
    if (fields.idleTimeOut === undefined || fields.idleTimeOut === 0) return
    const heartbeat = (): void => this.say({ channel: 0, name: 'heartbeat', fields: {} })
    this.#heartbeat = setInterval(heartbeat, Math.max(50, fields.idleTimeOut / 2)).unref()
  }

  #onBegin({ channel, fields }: Frame): void {
    const { channelMax = 0xffff } = this.options
    if (channel > channelMax)
      return this.violated(`channel number (${channel}) exceeds maximum channel number (${channelMax})`)
    const session = new OddSession(this, channel, fields)
    this.sessions.set(channel, session)
    session.begun()
  }
}

/** What all connections of one peer have in common. */
export interface Shared {
  readonly nodes: Nodes
  readonly violations: string[]
  readonly declared: string[]
  readonly nextName: () => string
}
