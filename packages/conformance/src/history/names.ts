/** Texts as small numbers, so that a million events do not hold a million texts. */
export class Names {
  readonly #ids = new Map<string, number>()
  readonly #texts: string[] = []

  /** The number of a text, counted from 0; a new one for a new text. */
  idOf(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#texts.push(text) - 1
    this.#ids.set(text, id)
    return id
  }

  textOf(id: number): string {
    const text = this.#texts[id]
    if (text === undefined) throw new RangeError(`There is no name ${id}`)
    return text
  }
}
