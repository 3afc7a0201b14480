/** Ranges that fit beside a position whatever their numbers: brokers keep 4096 bytes. */
const MOST_RANGES = 180
const NOTE = /^oslo-redriven:((?:\d+(?:-\d+)?(?:,|$))*)$/

/** The dead letters of one partition that have been moved, as a consumer group remembers them: everything before a
 *  position, and beside it, as its note, the ranges that lie behind letters left where they are. Note:
 *  `oslo-redriven:2-5,9`, counted from the position. */
export class RedrivenOffsets {
  readonly #moved = new Set<number>()
  #position: number

  /** `note`: what was stored beside the position; anything but our own counts as nothing. */
  constructor(position: number, note: string | undefined) {
    this.#position = position
    const ranges = NOTE.exec(note ?? '')?.[1]?.split(',') ?? []
    for (const range of ranges) {
      if (range === '') continue
      const [first = 0, last = first] = range.split('-').map(Number)
      for (let offset = first; offset <= last; offset += 1) this.#moved.add(position + offset)
    }
  }

  /** The first letter that is left. */
  get position(): number {
    return this.#position
  }

  /** False: too many letters before it were left for one more gap to be remembered. */
  get hasRoom(): boolean {
    return this.#ranges().length < MOST_RANGES
  }

  has(offset: number): boolean {
    return offset < this.#position || this.#moved.has(offset)
  }

  add(offset: number): void {
    if (offset < this.#position) return
    this.#moved.add(offset)
    while (this.#moved.delete(this.#position)) this.#position += 1
  }

  /** How many from `position` to before `end` are not moved. */
  leftBefore(end: number): number {
    return Math.max(0, end - this.#position - [...this.#moved].filter((offset) => offset < end).length)
  }

  note(): string | undefined {
    const ranges = this.#ranges()
    if (ranges.length === 0) return undefined
    return `oslo-redriven:${ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')}`
  }

  #ranges(): [number, number][] {
    const ranges: [number, number][] = []
    for (const offset of [...this.#moved].toSorted((one, other) => one - other)) {
      const [at, last] = [offset - this.#position, ranges.at(-1)]
      if (last !== undefined && last[1] === at - 1) last[1] = at
      else ranges.push([at, at])
    }
    return ranges
  }
}
