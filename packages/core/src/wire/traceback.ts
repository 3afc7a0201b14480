/** One frame of a V8 stack: `    at name (place:line:column)` or `    at place:line:column`, where somebody awaits with
 *  `async` before it. */
const FRAME = /^\s*at (?:async )?(?:(.*?) \()?(.*?):(\d+):\d+\)?$/

/** Deeper chains of causes are cut: they help nobody and may be endless. */
const MOST_CAUSES = 8

/** The text of an error the way Python formats a traceback: a heading, one text per frame with the innermost last, the
 *  error. Causes come before, as in Python. `title` is the last line without its end: `module.Class: message`. */
export function formatTraceback(error: unknown, title: string): string[] {
  const lines: string[] = []
  const causes: Error[] = []
  for (
    let cause = error instanceof Error ? error.cause : undefined;
    cause instanceof Error && causes.length < MOST_CAUSES && !causes.includes(cause);
    cause = cause.cause
  )
    causes.push(cause)
  for (const cause of causes.toReversed()) {
    lines.push(...formatOne(cause, `${cause.name}: ${cause.message}`))
    lines.push('\nThe above exception was the direct cause of the following exception:\n\n')
  }
  lines.push(...formatOne(error, title))
  return lines
}

function formatOne(error: unknown, title: string): string[] {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack.split('\n') : []
  const frames: string[] = []
  for (const line of stack) {
    const match = FRAME.exec(line)
    if (match !== null) frames.push(`  File "${match[2]}", line ${match[3]}, in ${match[1] ?? '<anonymous>'}\n`)
  }
  return ['Traceback (most recent call last):\n', ...frames.toReversed(), `${title}\n`]
}
