import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
export type { ConsumerInfo, StoredMsg } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { NatsOptions } from '../config.ts'
import type { Link } from './link.ts'

export const STREAM_NOT_FOUND = 10_059
const NAME_TAKEN = 10_058
/** A message that is sent again within this time is stored once. */
export const DUPLICATE_WINDOW_MS = 120_000
/** One question to JetStream; whoever asks has a deadline of its own besides. */
const QUESTION_MS = 10_000

/** Streams and consumers as the driver wants them. What is there already stays as it is: an operator may have made
 *  it. */
export class JetStream {
  readonly #options: NatsOptions
  readonly #managers = new WeakMap<Link, Promise<JetStreamManager>>()
  readonly #declared = new WeakMap<Link, Map<string, Promise<void>>>()

  constructor(options: NatsOptions) {
    this.#options = options
  }

  manager(link: Link): Promise<JetStreamManager> {
    const manager = this.#managers.get(link) ?? link.jetStream(QUESTION_MS)
    this.#managers.set(link, manager)
    return manager
  }

  /** A stream: `notify` forgets what every consumer has settled, `dead` keeps all. Once a link. */
  async stream(link: Link, kind: 'notify' | 'dead', name: string, subjects: string): Promise<void> {
    await this.#once(link, name, async () => {
      const { streams } = await this.manager(link)
      try {
        await streams.info(name)
        return
      } catch (error) {
        if (codeOf(error) !== STREAM_NOT_FOUND) throw error
      }
      const options = this.#options
      try {
        await streams.add({
          name,
          subjects: [subjects],
          retention: kind === 'notify' ? RetentionPolicy.Interest : RetentionPolicy.Limits,
          storage: options.stream_storage === 'memory' ? StorageType.Memory : StorageType.File,
          // A sender is told that there is no room; nothing unread disappears for it.
          discard: DiscardPolicy.New,
          num_replicas: options.stream_replicas,
          max_age: nanos(options.stream_max_age * 1000),
          max_bytes: options.stream_max_bytes,
          duplicate_window: nanos(windowOf(options)),
        })
      } catch (error) {
        // Another driver was quicker.
        if (codeOf(error) !== NAME_TAKEN) throw error
      }
    })
  }

  /** A durable consumer of one subject. One for a pool begins with what comes next; the one without a pool has all.
   *  Once a link. */
  async consumer(link: Link, stream: string, name: string, subject: string, pool: string | null): Promise<void> {
    await this.#once(link, `${stream} ${name}`, async () => {
      const { consumers } = await this.manager(link)
      await consumers.add(stream, {
        durable_name: name,
        filter_subject: subject,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: pool === null ? DeliverPolicy.All : DeliverPolicy.New,
        ack_wait: nanos(this.#options.ack_wait * 1000),
        max_deliver: -1,
        // Each listener bounds itself by its prefetch.
        max_ack_pending: -1,
      })
    })
  }

  /** What the server knows of a consumer. */
  async ask(link: Link, stream: string, consumer: string): Promise<ConsumerInfo> {
    const { consumers } = await this.manager(link)
    return await link.orLost(consumers.info(stream, consumer))
  }

  /** Declares everything anew on this link: somebody has deleted it. */
  forget(link: Link): void {
    this.#declared.delete(link)
  }

  async #once(link: Link, name: string, declare: () => Promise<void>): Promise<void> {
    const known = this.#declared.get(link) ?? new Map<string, Promise<void>>()
    this.#declared.set(link, known)
    const before = known.get(name)
    if (before !== undefined) return await before
    const declaring = link.orLost(declare())
    known.set(name, declaring)
    try {
      await declaring
    } catch (error) {
      known.delete(name)
      throw error
    }
  }
}

/** The code of a JetStream API error; undefined for anything else. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined
}

function windowOf({ stream_max_age }: NatsOptions): number {
  return stream_max_age === 0 ? DUPLICATE_WINDOW_MS : Math.min(DUPLICATE_WINDOW_MS, stream_max_age * 1000)
}
