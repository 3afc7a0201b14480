import type { Target } from '@oslo-messaging/core/driver'

/** What names are made of besides the target. */
export interface Scope {
  readonly prefix: string
  /** null: the one without a name. */
  readonly virtualHost: string | null
  readonly defaultExchange: string
}

/** Any text as one token of a subject and as part of a name: letters, digits, `-` and `_` stay, the rest is written as
 *  `=` and the two digits of each byte, and empty text as `=`. */
export function token(text: string | null | undefined): string {
  if (text === null || text === undefined || text === '') return '='
  return text.replaceAll(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/** The text that `token` wrote. */
function textOf(written: string): string {
  if (written === '=') return ''
  return decodeURIComponent(written.replaceAll('=', '%'))
}

/** Every subject, stream and consumer of one transport; a pure table. */
export class Names {
  readonly #root: string
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
    this.#root = `${token(scope.prefix)}.${token(scope.virtualHost)}`
  }

  /** One of the servers of the topic. */
  anyServer(target: Target): string {
    return `${this.#rpc(target)}.any`
  }

  /** The server of that name. */
  server(target: Target): string {
    return `${this.#rpc(target)}.server.${token(target.server)}`
  }

  /** Every server of the topic. */
  allServers(target: Target): string {
    return `${this.#rpc(target)}.all`
  }

  /** Where notifications of a topic that ends in its priority are stored. */
  notification(target: Target): string {
    return this.#of('notify', target)
  }

  /** Where those go that could not be handled. */
  deadLetter(subject: string): string {
    return subject.replace(`${this.#root}.notify.`, `${this.#root}.dead.`)
  }

  /** The subject that a dead letter was stored under at first. */
  origin(deadSubject: string): string {
    return deadSubject.replace(`${this.#root}.dead.`, `${this.#root}.notify.`)
  }

  /** Where the letters are of a subject, of a consumer, or of the place of letters itself; `consumer`: those alone that
   *  failed there. Subjects may have wildcards. undefined for a name of anything else. */
  deadSubjectOf(name: string): { readonly subject: string; readonly consumer?: string } | undefined {
    const subject = this.deadLetter(name)
    if (subject.startsWith(`${this.#root}.dead.`)) return { subject }
    const [exchange, topic] = name.split('~')
    return exchange && topic ? { subject: `${this.#root}.dead.${exchange}.${topic}`, consumer: name } : undefined
  }

  /** The pool that a consumer is of; undefined for the listeners without one. */
  poolOf(consumer: string): string | undefined {
    const [, , mark, pool] = consumer.split('~')
    return mark === 'pool' ? textOf(pool ?? '') : undefined
  }

  /** Those who share the notifications of a topic that ends in its priority; null: the listeners without a pool. */
  consumer(target: Target, pool: string | null): string {
    const name = `${token(this.#exchange(target))}~${token(target.topic)}`
    return pool === null ? name : `${name}~pool~${token(pool)}`
  }

  /** Where the listeners of a consumer answer whoever asks for them. */
  readers(consumer: string): string {
    return `${this.#root}.readers.${consumer}`
  }

  get stream(): string {
    return `${this.#root.replace('.', '~')}~notify`
  }

  get deadLetters(): string {
    return `${this.#root.replace('.', '~')}~dead`
  }

  /** All subjects of a stream. */
  all(kind: 'notify' | 'dead'): string {
    return `${this.#root}.${kind}.>`
  }

  #rpc(target: Target): string {
    return this.#of('rpc', target)
  }

  #of(kind: string, target: Target): string {
    return `${this.#root}.${kind}.${token(this.#exchange(target))}.${token(target.topic)}`
  }

  #exchange(target: Target): string {
    return target.exchange ?? this.#scope.defaultExchange
  }
}
