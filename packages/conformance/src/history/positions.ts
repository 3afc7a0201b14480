/** Where each reader stands, by place and partition: the last commit counts. */
export class Positions {
  readonly #byReader = new Map<string, Map<string, Map<number, number>>>()

  commit(reader: string, place: string, partition: number, position: number): void {
    let places = this.#byReader.get(reader)
    if (places === undefined) this.#byReader.set(reader, (places = new Map()))
    let partitions = places.get(place)
    if (partitions === undefined) places.set(place, (partitions = new Map()))
    partitions.set(partition, position)
  }

  /** The place is empty, and what was committed of it means nothing any more. */
  wipe(place: string): void {
    for (const places of this.#byReader.values()) places.delete(place)
  }

  /** Whether anything is known of where the reader stands. */
  knows(reader: string): boolean {
    return this.#byReader.has(reader)
  }

  /** Whether the reader is remembered to be done with that position. */
  covers(reader: string, place: string, partition: number, position: number): boolean {
    return position < (this.#byReader.get(reader)?.get(place)?.get(partition) ?? -1)
  }
}
