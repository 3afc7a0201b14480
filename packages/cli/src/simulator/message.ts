/** A message as Python's simulator writes it; times are seconds since 1970. */
export interface SimulatorMessage {
  readonly seq: number
  readonly cargo: string
  readonly client_ts: number
  readonly server_ts: number
  readonly return_ts: number
}

/** Seconds since 1970. */
export const nowSeconds = (): number => (performance.timeOrigin + performance.now()) / 1000

/** How often lengths from `from` to `from + 499` are drawn, in parts of all: what was recorded of a deployment that
 *  made and deleted instances (oslo.messaging, tools/messages_length.yaml), rounded. */
const LENGTHS: readonly { readonly from: number; readonly parts: number }[] = [
  { from: 501, parts: 2 },
  { from: 1001, parts: 9 },
  { from: 1501, parts: 18 },
  { from: 2001, parts: 26 },
  { from: 2501, parts: 13 },
  { from: 3001, parts: 3 },
  { from: 3501, parts: 4 },
  { from: 4001, parts: 1 },
  { from: 4501, parts: 5 },
  { from: 5001, parts: 7 },
  { from: 6001, parts: 4 },
  { from: 6501, parts: 4 },
  { from: 7001, parts: 2 },
  { from: 11_001, parts: 2 },
]
const ALL = LENGTHS.reduce((sum, { parts }) => sum + parts, 0)
const SPREAD = 498
const LONGEST = 12_000
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** A length as they were recorded, characters. */
export function drawLength(random: () => number = Math.random): number {
  let left = random() * ALL
  for (const { from, parts } of LENGTHS) {
    left -= parts
    if (left < 0) return from + Math.floor(random() * SPREAD)
  }
  return LENGTHS[0]?.from ?? 1
}

/** Random lower-case letters. */
export function drawText(length: number, random: () => number = Math.random): string {
  let text = ''
  for (let index = 0; index < length; index += 1) text += LETTERS[Math.floor(random() * LETTERS.length)] ?? 'a'
  return text
}

/** So many texts to choose from, cut out of one at random places: drawing the letters of each would take a second. */
export function drawTexts(count: number): readonly string[] {
  const letters = drawText(LONGEST * 2)
  return Array.from({ length: count }, () => {
    const from = Math.floor(Math.random() * LONGEST)
    return letters.slice(from, from + drawLength())
  })
}
