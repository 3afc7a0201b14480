import type {
  HandledEvent,
  RejectedEvent,
  RepliedEvent,
  ResolvedEvent,
  SentEvent,
  SettledEvent,
} from '@oslo-messaging/conformance/history'

/** What a worker tells of a numbered message. A rejection names its error. */
export type SimulatedEvent =
  | SentEvent
  | ResolvedEvent
  | (RejectedEvent & { readonly name: string })
  | HandledEvent
  | SettledEvent
  | RepliedEvent

/** Nanoseconds of the clock that every process of a machine shares. */
export const machineNs = (): bigint => process.hrtime.bigint()

/** The clock of a run: milliseconds since it began, the same in each of its processes. */
export function clockSince(beganAtNs: bigint): () => number {
  return () => Number(machineNs() - beganAtNs) / 1e6
}
