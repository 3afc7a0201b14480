import type { Target } from '../target.ts'

/** What a service does with a topic. */
export interface TopologyUse {
  readonly role: 'rpc-server' | 'rpc-client' | 'notifier' | 'listener'
  /** With a topic; of a server with its name, `*` for one that is not known. */
  readonly target: Target
  /** Of a listener; null: none. */
  readonly pool: string | null
  /** Of notifications, lower case; empty for RPC. */
  readonly priorities: readonly string[]
}

/** What a configuration will make its broker have. */
export interface TopologyPlan {
  readonly declarations: readonly TopologyDeclaration[]
  /** The same, and who needs which rights, as tools of the broker read it: text by the name of its format. */
  readonly documents: Readonly<Record<string, string>>
}

/** One thing that is declared. */
export interface TopologyDeclaration {
  /** In the broker's words: `exchange`, `queue`, `binding`, `topic`. */
  readonly kind: string
  /** `*` stands for a part that is not known before. */
  readonly name: string
  /** For people: `durable, x-queue-type = quorum`. */
  readonly properties: string
  /** Who declares it. */
  readonly roles: readonly TopologyUse['role'][]
}
