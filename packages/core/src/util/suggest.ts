/** The known name closest to a misspelt one, or undefined when none is close: at most two letters of it or a third may
 *  differ, of a short one a single letter; `mostLetters` says otherwise. */
export function suggest(name: string, known: Iterable<string>, mostLetters?: number): string | undefined {
  let best: string | undefined
  let bestDistance = (mostLetters ?? (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3)))) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Letters to insert, delete or replace to make one word of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [rowIndex, letter] of Array.from(from).entries()) {
    const next = [rowIndex + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min((next[column] ?? 0) + 1, (row[column + 1] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
