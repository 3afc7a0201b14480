/** The known name that a mistyped one is close to: at most two letters changed, added, left out or swapped. */
export function suggest(given: string, known: readonly string[]): string | undefined {
  const near = known
    .map((name) => ({ name, distance: distanceOf(given, name) }))
    .filter(({ name, distance }) => distance <= 2 && distance < name.length)
    .toSorted((one, other) => one.distance - other.distance)
  return near[0]?.name
}

function distanceOf(one: string, other: string): number {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1]
      const changed = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      next.push(isSwap ? Math.min(changed, (before[column - 2] ?? 0) + 1) : changed)
    }
    before = last
    last = next
  }
  return last[other.length] ?? Infinity
}
