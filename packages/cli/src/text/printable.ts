/** On one line, and without what a terminal would obey: names and texts come from whoever made them. */
export function printable(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\p{Cc}|\p{Cf}/gu, '?')
}

/** `1 queue`, `2 queues`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
