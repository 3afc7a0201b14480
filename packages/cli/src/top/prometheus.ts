/** One sample of a page in the text format of Prometheus. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads such a page; what is no sample is passed over. */
export function readSamples(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value = ''] = line.startsWith('#') ? [] : (LINE.exec(line) ?? [])
    if (name === undefined) return []
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, unescape(text)])
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }]
  })
}

const unescape = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))

/** What one page says of the requests or notifications of a topic, since the process began. */
export interface Counted {
  readonly handled: number
  readonly failed: number
  /** Handlings of at most so many seconds, by that bound; in rising order. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
  readonly running: number
  readonly waiting: number
}

/** Our own metrics of handlers (`@oslo-messaging/prometheus`), or those of the collector of oslo.metrics, which counts
 *  what clients called. */
export function countTopic(samples: readonly Sample[], topic: string): Counted {
  const isOurs = ({ labels }: Sample): boolean => {
    const { destination = '' } = labels
    return destination === topic || destination.startsWith(`${topic}.`)
  }
  const sum = (name: string, chosen: (sample: Sample) => boolean): number =>
    samples.filter((sample) => sample.name === name && chosen(sample)).reduce((total, { value }) => total + value, 0)
  const isCollected = ({ labels }: Sample): boolean => labels['topic'] === topic
  const collected = 'oslo_messaging_rpc_client_'
  return {
    handled: sum('oslo_messaging_handled_total', isOurs) + sum(`${collected}invocation_end_total`, isCollected),
    failed:
      sum('oslo_messaging_handled_total', (sample) => isOurs(sample) && (sample.labels['error'] ?? '') !== '') +
      sum(`${collected}exception_total`, isCollected),
    buckets: bucketsOf(
      samples.filter(
        (sample) =>
          (sample.name === 'oslo_messaging_handle_duration_seconds_bucket' && isOurs(sample)) ||
          (sample.name === `${collected}processing_seconds_bucket` && isCollected(sample)),
      ),
    ),
    running: sum('oslo_messaging_handlers_running', () => true),
    waiting: sum('oslo_messaging_handlers_waiting', () => true),
  }
}

function bucketsOf(samples: readonly Sample[]): Counted['buckets'] {
  const counts = new Map<number, number>()
  for (const { labels, value } of samples) {
    const le = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    counts.set(le, (counts.get(le) ?? 0) + value)
  }
  return [...counts].map(([le, count]) => ({ le, count })).toSorted((one, other) => one.le - other.le)
}

/** The value in milliseconds below which the share lies of what came between two looks, read off within its bucket;
 *  null: nothing came. */
export function quantileBetween(before: Counted, now: Counted, share: number): number | null {
  const earlier = new Map(before.buckets.map(({ le, count }) => [le, count]))
  const buckets = now.buckets.map(({ le, count }) => ({ le, count: count - (earlier.get(le) ?? 0) }))
  const total = buckets.at(-1)?.count ?? 0
  if (total <= 0) return null
  const wanted = share * total
  let [below, lower] = [0, 0]
  for (const { le, count } of buckets) {
    if (count >= wanted) {
      // Beyond the last bound nothing is known but that it was more.
      if (le === Infinity) return lower * 1000
      const part = count === below ? 1 : (wanted - below) / (count - below)
      return (lower + (le - lower) * part) * 1000
    }
    ;[below, lower] = [count, le]
  }
  return lower * 1000
}
