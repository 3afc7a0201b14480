export type Message = Readonly<Record<string, unknown>>

/** An object in JSON text; undefined for anything else. */
export function parseObject(text: string): Message | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : undefined
  } catch {
    return undefined
  }
}

/** Frames of a traceback name files and lines of one machine: of a failure's only the first line and the last
 *  remain. */
export function withoutFrames(message: Message): Message {
  const { failure } = message
  if (typeof failure !== 'string') return message
  const fields = parseObject(failure)
  if (fields === undefined || !Array.isArray(fields['tb'])) return message
  const lines = fields['tb'] as string[]
  const tb = lines.length > 2 ? [lines[0], '<frames>', lines.at(-1)] : lines
  return { ...message, failure: JSON.stringify({ ...fields, tb }) }
}

/** Placeholders of the vectors, ids of 32 hex digits, UUIDs, times. */
const ID = /<[a-z]+(?:-[a-z]+)*-\d+>|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/
const TIME = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?/
/** The number in a name of the queue manager counts the queues of a machine. */
const QUEUE_NUMBER = /(?<=:demo-service:)\d+/
const ANY = new RegExp([ID, TIME, QUEUE_NUMBER].map(({ source }) => source).join('|'), 'g')

/** Every generated name as `<id-N>`, in the order in which they first appear: what belongs together still does. */
export function numberIds<T>(value: T): T {
  const numbers = new Map<string, number>()
  const numbered = (id: string): string => {
    const number = numbers.get(id) ?? numbers.size + 1
    numbers.set(id, number)
    return `<id-${number}>`
  }
  return JSON.parse(JSON.stringify(value).replaceAll(ANY, numbered)) as T
}
