import type { Target } from '../target.ts'
import { checkMethods, checkOptions, type OptionNames } from '../util/check.ts'
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
  checkOptions('createRecorder', options, { clock: true })
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
    calls: (filter) => ofTypes(['call', 'cast']).filter(matcherOf('calls', filter)),
    notifications: (filter) => ofTypes(['notify']).filter(matcherOf('notifications', filter)),
    ofType: (type) => ofTypes([type]),
    async waitFor(predicate, deadline = Deadline.after(5000, { clock })) {
      checkMethods('The deadline of waitFor, such as Deadline.after(1000),', deadline, ['race'])
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

const FILTER: OptionNames<EventFilter> = { topic: true, method: true, eventType: true }

interface Sent {
  readonly target: Target
  readonly message: Readonly<Record<string, unknown>>
}

function matcherOf(user: string, filter: EventFilter = {}): (event: Sent) => boolean {
  // A filter that is misspelt would let everything through, and the test pass.
  checkOptions(user, filter, FILTER)
  const { topic, method, eventType } = filter
  return ({ target, message }) =>
    matches(topic, target.topic) && matches(method, message['method']) && matches(eventType, message['event_type'])
}

const matches = (wanted: string | undefined, actual: unknown): boolean => wanted === undefined || wanted === actual
