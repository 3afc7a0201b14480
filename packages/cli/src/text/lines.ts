import { createReadStream } from 'node:fs'
import { decodeJson } from '@oslo-messaging/core/driver'
import { interrupted } from '../broker/interrupted.ts'
import type { Io } from '../io.ts'

/** One line of a file of JSON values. */
export interface JsonLine {
  /** From 1. */
  readonly line: number
  readonly value: unknown
}

/** A line that cannot be used: where it is and why. */
export class LineError extends Error {
  constructor(file: string, line: number, why: string) {
    super(`${file === '-' ? 'stdin' : file}:${line}: ${why}`)
    this.name = 'LineError'
  }
}

/** The JSON values of a file, one a line, blank lines passed over; `-` is stdin. Rejects with LineError, or with what
 *  reading the file says. */
export async function* readLines(file: string, io: Io): AsyncGenerator<JsonLine> {
  let line = 0
  for await (const text of splitLines(untilAborted(await openText(file, io), io.signal))) {
    line += 1
    if (text.trim() === '') continue
    let value: unknown
    try {
      value = decodeJson(text)
    } catch {
      throw new LineError(file, line, 'not valid JSON; each line is one value')
    }
    yield { line, value }
  }
}

async function openText(file: string, io: Io): Promise<AsyncIterable<string | Uint8Array>> {
  if (file === '-') return io.stdin
  const stream = createReadStream(file)
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    stream.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`${file} cannot be read (${error.code ?? error.message})`, { cause: error })),
    )
  })
  return stream
}

/** Ends with the signal, also while nothing comes: somebody types at the other end. */
async function* untilAborted<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]()
  const aborted = interrupted(signal).then(() => ({ done: true as const, value: undefined }))
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted])
    if (next.done === true) break
    yield next.value
  }
  // One that waits for input is left waiting.
  if (!signal.aborted) await iterator.return?.()
}

async function* splitLines(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}
