import { systemClock, type Clock } from '../util/clock.ts'
import { Deadline } from '../util/deadline.ts'
import type { MemoryEvent, MemoryRecorder } from '../memory/memory-hooks.ts'

/** One event with its place among all events of the recorder, from 0. */
export type RecordedEvent<Type extends MemoryEvent['type'] = MemoryEvent['type']> = Extract<
  MemoryEvent,
  { readonly type: Type }
> & { readonly order: number }

/** Which events are meant; all given fields must match. */
export interface EventFilter {
  readonly topic?: string
  readonly method?: string
  readonly eventType?: string
}

/** Remembers everything a driver sends, delivers and settles, for assertions. Messages are those that were given; do
 *  not change them. */
export interface Recorder extends MemoryRecorder {
  readonly events: readonly RecordedEvent[]
  /** RPC requests sent, calls and casts, in order. */
  calls(filter?: EventFilter): readonly RecordedEvent<'call' | 'cast'>[]
  /** Notifications sent, in order; their topic ends in `.<priority>`. */
  notifications(filter?: EventFilter): readonly RecordedEvent<'notify'>[]
  /** Events of one type, in order. */
  ofType<Type extends MemoryEvent['type']>(type: Type): readonly RecordedEvent<Type>[]
  /** Resolves with the first event, past or to come, that satisfies the predicate. Rejects with MessagingTimeout at the
   *  deadline (default 5 s on the system's clock). */
  waitFor(predicate: (event: RecordedEvent) => boolean, deadline?: Deadline): Promise<RecordedEvent>
  clear(): void
}

/** A recorder for `createMemoryDriver({ recorder })`. */
export function createRecorder(options: { readonly clock?: Clock } = {}): Recorder {
  const { clock = systemClock } = options
  let events: RecordedEvent[] = []
  let order = 0
  const watchers = new Set<(event: RecordedEvent) => void>()

  const ofTypes = <Type extends MemoryEvent['type']>(types: readonly Type[]): readonly RecordedEvent<Type>[] =>
    events.filter((event): event is RecordedEvent<Type> => (types as readonly string[]).includes(event.type))

  return {
    get events() {
      return events
    },
    record(event) {
      const recorded: RecordedEvent = { ...event, order }
      order += 1
      events.push(recorded)
      for (const watcher of watchers) watcher(recorded)
    },
    calls: (filter = {}) =>
      ofTypes(['call', 'cast']).filter(
        ({ target, message }) => matches(filter.topic, target.topic) && matches(filter.method, message['method']),
      ),
    notifications: (filter = {}) =>
      ofTypes(['notify']).filter(
        ({ target, message }) =>
          matches(filter.topic, target.topic) && matches(filter.eventType, message['event_type']),
      ),
    ofType: (type) => ofTypes([type]),
    async waitFor(predicate, deadline = Deadline.after(5000, { clock })) {
      const past = events.find(predicate)
      if (past !== undefined) return past
      let stop = (): void => {}
      try {
        const found = new Promise<RecordedEvent>((resolve) => {
          const watcher = (event: RecordedEvent): void => {
            if (predicate(event)) resolve(event)
          }
          watchers.add(watcher)
          stop = () => watchers.delete(watcher)
        })
        return await deadline.race(found, {
          phase: 'reply',
          delivery: 'unknown',
          waitingFor: 'recorded event that fits',
        })
      } finally {
        stop()
      }
    },
    clear() {
      events = []
    },
  }
}

const matches = (wanted: string | undefined, actual: unknown): boolean => wanted === undefined || wanted === actual
