import type { HandledEvent, HistoryEvent, Invariant, StoredEvent } from '../../src/history/index.ts'

/** Spoils a valid history at one message, chosen by `pick`. */
export type Mutant = (events: readonly HistoryEvent[], pick: number) => readonly HistoryEvent[]

/** One way to break each invariant. */
export const mutants: Readonly<Record<Invariant, Mutant>> = {
  'resolved-and-not-stored': (events, pick) => {
    const message = resolvedIn(events, pick, 'alpha', 'beta', 'gamma')
    return events.filter((event) => !(event.kind === 'stored' && event.message === message))
  },
  'stored-twice': (events, pick) => {
    const again = chosen(storedIn(events, 'alpha', 'beta', 'gamma'), pick)
    return [...events, { ...again, position: again.position + 1000 }]
  },
  'not-sent-but-stored': (events, pick) => {
    const message = resolvedIn(events, pick, 'alpha', 'beta', 'gamma')
    return events.map((event) =>
      event.kind === 'resolved' && event.message === message
        ? { kind: 'rejected', at: event.at, message, delivery: 'not-sent' }
        : event,
    )
  },
  order: (events, pick) => {
    // The first two messages of alpha stand in one line: one of them is stored, or handled, late.
    const kind = pick % 2 === 0 ? 'stored' : 'handled'
    const [first, second] = events.filter((event) => event.kind === kind && event.message < 2)
    if (first?.kind === 'stored' && second?.kind === 'stored')
      return events.map((event) => (event === first ? { ...first, position: 1e6 } : event))
    return [...events.filter((event) => event !== first), ...events.filter((event) => event === first)]
  },
  'handled-twice': (events, pick) => [...events, chosen(handledBy(events, pick % 2 === 0 ? 'once' : 'least'), pick)],
  'committed-and-dropped': (events, pick) => {
    const gone = chosen(handledBy(events, 'once'), pick)
    return events.filter((event) => event !== gone)
  },
  misrouted: (events, pick) => {
    const strays = storedIn(events, 'gamma')
    const { message } = chosen(strays, pick)
    const stray: HandledEvent = { kind: 'handled', at: 1, message, reader: 'once', member: 'm', redelivered: false }
    return [...events, stray]
  },
  'handled-and-not-settled': (events, pick) => {
    const settled = chosen(
      events.filter((event) => event.kind === 'settled'),
      pick,
    )
    return events.filter((event) => event !== settled)
  },
  'replied-to-another': (events, pick) => {
    const reply = chosen(
      events.filter((event) => event.kind === 'replied'),
      pick,
    )
    return events.map((event) => (event === reply ? { ...reply, answer: reply.answer + 1 } : event))
  },
  lost: (events, pick) => {
    const { message } = chosen(handledBy(events, 'least'), pick)
    return events.filter(
      (event) => !(event.kind === 'handled' && event.reader === 'least' && event.message === message),
    )
  },
  unfinished: (events, pick) => {
    const message = resolvedIn(events, pick, 'alpha', 'beta', 'gamma')
    return events.filter((event) => !(event.kind === 'resolved' && event.message === message))
  },
  overdue: (events, pick) => {
    const message = resolvedIn(events, pick, 'alpha', 'beta', 'gamma')
    return events.map((event) =>
      event.kind === 'resolved' && event.message === message ? { ...event, at: 1e6 } : event,
    )
  },
  'given-up-early': (events, pick) => {
    const message = resolvedIn(events, pick, 'alpha', 'beta', 'gamma')
    return events.map((event) =>
      event.kind === 'resolved' && event.message === message
        ? { kind: 'rejected', at: event.at, message, delivery: 'unknown' }
        : event,
    )
  },
}

function storedIn(events: readonly HistoryEvent[], ...places: readonly string[]): readonly StoredEvent[] {
  return events.filter((event) => event.kind === 'stored').filter(({ place }) => places.includes(place))
}

function handledBy(events: readonly HistoryEvent[], reader: string): readonly HandledEvent[] {
  return events
    .filter((event) => event.kind === 'handled')
    .filter((event) => event.reader === reader && !event.redelivered)
}

function resolvedIn(events: readonly HistoryEvent[], pick: number, ...places: readonly string[]): number {
  const resolved = new Set(events.flatMap((event) => (event.kind === 'resolved' ? [event.message] : [])))
  return chosen(
    storedIn(events, ...places).filter(({ message }) => resolved.has(message)),
    pick,
  ).message
}

function chosen<T>(all: readonly T[], pick: number): T {
  const one = all[pick % all.length]
  if (one === undefined) throw new Error('The history holds nothing that this mutant could spoil')
  return one
}
