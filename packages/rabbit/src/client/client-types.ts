import type { ConnectionOptions as TlsOptions } from 'node:tls'

/** The client library as this driver needs it. amqplib is imported in `client.ts` and nowhere else; everything above
 *  speaks these types, and unit tests put a scripted fake in their place. */
export interface RabbitClient {
  /** Opens one connection to one host. Rejects with the client library's error; resolves late or never when the host is
   *  silent, so callers race it. */
  connect(options: ConnectOptions): Promise<ClientConnection>
}

export interface ConnectOptions {
  readonly hostname: string
  readonly port: number
  readonly virtualHost: string
  readonly mechanism: 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'
  readonly username: string
  readonly password: string
  /** Seconds; 0 switches heartbeats off. */
  readonly heartbeat: number
  /** Undefined: no TLS. */
  readonly tls: TlsOptions | undefined
  /** Milliseconds of silence during the handshake after which the socket is given up. */
  readonly handshakeTimeoutMs: number
  /** Milliseconds the broker may take to answer one question: opening a channel, a declaration, a subscription, a
   *  count. */
  readonly answerTimeoutMs: number
  /** Milliseconds the broker may take to confirm a message. */
  readonly confirmTimeoutMs: number
  readonly clientProperties: Readonly<Record<string, unknown>>
  /** Aborted when nobody waits for the connection any more: its socket must not keep the process. */
  readonly signal: AbortSignal
}

export interface ClientConnection {
  /** `version` of the broker as it announced itself, e.g. `4.0.5`. */
  readonly brokerVersion: string
  /** Bytes received so far: what a silent peer does not move. */
  readonly bytesReceived: number
  /** Why the broker takes no messages now; null while it does. */
  readonly blockedReason: string | null
  /** Called once when the connection is over, whoever ended it; undefined when it was closed on purpose. Set it before
   *  anything else happens. */
  onClosed: ((reason: unknown) => void) | undefined
  /** Called when the broker stops (`reason`) and resumes (null) taking messages. */
  onBlocked: ((reason: string | null) => void) | undefined
  openChannel(): Promise<ClientChannel>
  openConfirmChannel(): Promise<ClientConfirmChannel>
  /** Gives the broker a new secret for the user of this connection, before the old one expires. Rejects when the broker
   *  does not take it; it may end the connection then. */
  updateSecret(secret: string): Promise<void>
  /** Closes in good order; never rejects. */
  close(): Promise<void>
  /** Cuts the socket at once. */
  destroy(reason: Error): void
}

/** A value in an arguments table. Whole numbers go as signed 32 bit, the way Python's library sends them, or as 64 bit
 *  where they need it. */
export type TableValue = string | number | boolean
export type ArgumentTable = Readonly<Record<string, TableValue>>

/** What stands for a declaration where somebody else declares: `passive` asks whether the entity exists, `none` does
 *  nothing. */
export type DeclarationMode = 'passive' | 'none'

export interface ExchangeDeclaration {
  /** Undefined: it is declared. */
  readonly mode?: DeclarationMode | undefined
  readonly name: string
  readonly type: 'topic' | 'fanout' | 'direct'
  readonly durable: boolean
  readonly autoDelete: boolean
}

export interface QueueDeclaration {
  /** Undefined: it is declared, and bound. */
  readonly mode?: DeclarationMode | undefined
  readonly name: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly arguments: ArgumentTable
}

export interface QueueFacts {
  readonly messageCount: number
  readonly consumerCount: number
}

export interface MessageProperties {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  readonly expiration?: string | undefined
}

export interface ClientDelivery {
  readonly deliveryTag: number
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  readonly properties: MessageProperties
  readonly body: Buffer
}

export interface ConsumeOptions {
  readonly consumerTag: string
  readonly noAck: boolean
  readonly arguments: ArgumentTable
}

/** Every question is answered or rejects with an error of code NO_ANSWER after `answerTimeoutMs`; then the channel is
 *  closed, because answers come in the order of questions. */
export interface ClientChannel {
  /** Called once when the channel is over: with the error when the broker or the connection ended it, undefined when we
   *  did. */
  onClosed: ((reason: unknown) => void) | undefined
  declareExchange(declaration: ExchangeDeclaration): Promise<void>
  declareQueue(declaration: QueueDeclaration): Promise<QueueFacts>
  /** Passive declare: 404 closes the channel when the queue is missing. */
  checkQueue(queue: string): Promise<QueueFacts>
  bindQueue(queue: string, exchange: string, key: string): Promise<void>
  deleteQueue(queue: string): Promise<void>
  prefetch(count: number): Promise<void>
  /** `onDelivery` gets null when the broker cancelled the consumer. */
  consume(queue: string, options: ConsumeOptions, onDelivery: (delivery: ClientDelivery | null) => void): Promise<void>
  cancel(consumerTag: string): Promise<void>
  /** Takes one message, to be settled like a delivery; null when none is ready. */
  get(queue: string): Promise<ClientDelivery | null>
  /** False when the channel is gone: the broker redelivers what was not settled. */
  acknowledge(deliveryTag: number, multiple: boolean): boolean
  /** False when the channel is gone. */
  reject(deliveryTag: number, requeue: boolean): boolean
  /** Closes; never rejects. */
  close(): Promise<void>
}

export interface OutgoingPublish {
  readonly exchange: string
  readonly routingKey: string
  readonly mandatory: boolean
  readonly expiration: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
  /** Of a message somebody else wrote, kept as it is. Absent: that of all our own, JSON in UTF-8. */
  readonly content?: { readonly type: string | undefined; readonly encoding: string | undefined }
}

export interface ReturnedMessage {
  readonly replyCode: number
  readonly replyText: string
  readonly exchange: string
  readonly routingKey: string
  readonly body: Buffer
}

export interface ClientConfirmChannel extends ClientChannel {
  /** Why the channel is over; undefined while it is not. Confirms that fail with it only know that. */
  readonly reason: unknown
  /** Called for each mandatory message no queue took, before its confirm. */
  onReturn: ((message: ReturnedMessage) => void) | undefined
  /** Hands the message to the socket. `onConfirm` is called once: null when the broker has it, an error when it refused
   *  it or the channel ended first. False when the channel is gone already: then `onConfirm` is never called and
   *  nothing was sent. */
  publish(message: OutgoingPublish, onConfirm: (error: unknown) => void): boolean
}

/** A nack in a shape that can be told from a lost channel. */
export const NACKED = 'message nacked'
