/** How a table is laid out. */
export interface TableOptions {
  /** Columns whose cells stand to the right: numbers. */
  readonly right?: readonly number[]
}

/** Columns as wide as they need to be, the first row above them. */
export function tableText(rows: readonly (readonly string[])[], { right = [] }: TableOptions = {}): string {
  const [first = []] = rows
  const widths = first.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** A text folded at blanks, each line indented. */
export function fold(text: string, columns: number, indent = ''): string {
  const width = Math.max(20, columns - indent.length)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map((each) => indent + each).join('\n')
}
