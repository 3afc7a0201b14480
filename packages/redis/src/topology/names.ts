import type { Target } from '@oslo-messaging/core/driver'

/** The group of all who share the requests of a topic, and of the listeners without a pool. */
export const SERVERS = 'servers'
export const LISTENERS = 'listeners'
/** Nobody reads as this consumer: it holds what was handed back until somebody claims it. */
export const HANDED_BACK = 'handed-back'

/** Every key of one transport; a pure table. Databases keep virtual hosts apart, so they are in channels only. */
export class Names {
  readonly #prefix: string
  readonly #defaultExchange: string

  constructor(prefix: string, defaultExchange: string) {
    this.#prefix = part(prefix)
    this.#defaultExchange = defaultExchange
  }

  /** Requests for one of the servers of the topic. */
  anyServer(target: Target): string {
    return this.#of('rpc', target)
  }

  /** Requests for the server of that name. */
  server(target: Target): string {
    return `${this.#of('rpc', target)}:server:${part(target.server)}`
  }

  /** Requests for every server of the topic. */
  allServers(target: Target): string {
    return `${this.#of('rpc', target)}:all`
  }

  /** Notifications of a topic that ends in its priority. */
  notification(target: Target): string {
    return this.#of('notify', target)
  }

  /** Replies to one client. */
  replies(client: string): string {
    return `${this.#prefix}:reply:${client}`
  }

  /** Numbers of the messages that one sender has written. */
  numbers(sender: string): string {
    return `${this.#prefix}:sent:${sender}`
  }

  /** Whether a key is one that replies to clients come by; a cast has none. */
  isReplies(key: string | null): boolean {
    return key === null || /^[\w-]+$/.test(key.startsWith(this.replies('')) ? key.slice(this.replies('').length) : '')
  }

  /** Those who share the notifications of a pool; null: the listeners without one. */
  group(pool: string | null): string {
    return pool === null ? LISTENERS : `pool:${pool}`
  }

  /** Notifications of a stream that could not be handled. */
  deadLetters(stream: string): string {
    return `${stream}:dead`
  }

  /** Whether a key is that of dead letters. */
  isDeadLetters(key: string): boolean {
    return key.startsWith(`${this.#prefix}:notify:`) && key.endsWith(':dead')
  }

  /** The stream whose dead letters a key has. */
  origin(deadLetters: string): string {
    return deadLetters.slice(0, -':dead'.length)
  }

  /** Patterns of all keys, and of those of notifications. */
  get every(): string {
    return `${glob(this.#prefix)}:*`
  }

  get everyNotification(): string {
    return `${glob(this.#prefix)}:notify:*`
  }

  /** Notifications of a stream that wait for another attempt, by the time when they are due. */
  delayed(stream: string): string {
    return `${stream}:delayed`
  }

  #of(kind: string, target: Target): string {
    const exchange = target.exchange ?? this.#defaultExchange
    return `${this.#prefix}:${kind}:${part(exchange)}:${part(target.topic)}`
  }
}

/** Any text as one part of a key: a colon and a percent sign are escaped, so that no two targets share a key. */
function part(text: string | null | undefined): string {
  return (text ?? '').replaceAll('%', '%25').replaceAll(':', '%3A')
}

/** Text that means itself in a pattern. */
function glob(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`)
}

/** Where the arrival of something in a stream is told. Channels know no databases. */
export function channelOf(database: number, key: string): string {
  return `${key}@${database}`
}
