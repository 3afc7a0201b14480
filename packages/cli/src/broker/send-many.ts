import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { jsonLine } from '../text/json.ts'
import { readLines } from '../text/lines.ts'
import { count, printable } from '../text/printable.ts'
import { describeFailure } from './failure-text.ts'

/** How the lines of a file are sent. */
export interface ManyOptions {
  readonly from: string
  readonly concurrency: number
  readonly keepGoing: boolean
}

/** What bounds one message besides its timeout: Ctrl-C, unless it is one of many. Those that are under way then are
 *  waited for, because nobody could tell otherwise which of them were done. */
export function interruptOf(from: string | undefined, io: Io): { readonly signal?: AbortSignal } {
  return from === undefined ? { signal: io.signal } : {}
}

interface Ended {
  readonly line: number
  readonly answer?: unknown
  readonly failure?: unknown
}

/** Sends one message for each line, and prints what became of it, in the order of the lines. `send` resolves with what
 *  is to be printed, undefined for nothing. After Ctrl-C nothing more is read, and what was sent is waited for. What
 *  was not sent any more is said. */
export async function sendMany(
  { from, concurrency, keepGoing }: ManyOptions,
  io: Io,
  send: (value: unknown, line: number) => Promise<unknown>,
): Promise<number> {
  const underway: Promise<Ended>[] = []
  let [done, failed] = [0, 0]
  let isRemoteOnly = true
  const settle = async (): Promise<boolean> => {
    const ended = await underway[0]
    void underway.shift()
    if (ended === undefined) return true
    if (!('failure' in ended)) {
      done += 1
      if (ended.answer !== undefined) io.out(jsonLine({ line: ended.line, ...(ended.answer as object) }))
      return true
    }
    failed += 1
    const failure = describeFailure(ended.failure)
    isRemoteOnly &&= failure.isRemote
    io.out(jsonLine({ line: ended.line, error: failure.fields }))
    io.err(`oslo-msg: line ${ended.line}: ${printable(failure.text)}\n`)
    return keepGoing
  }
  const drain = (): void => {
    if (underway.length > 0)
      io.err(`oslo-msg: waiting for ${count(underway.length, 'line')} under way; Ctrl-C again ends at once\n`)
  }
  io.signal.addEventListener('abort', drain, { once: true })
  let goesOn = true
  let broken: unknown
  try {
    for await (const { line, value } of readLines(from, io)) {
      underway.push(attempt(line, async () => await send(value, line)))
      if (underway.length >= concurrency) goesOn = await settle()
      if (!goesOn || io.signal.aborted) break
    }
  } catch (error) {
    broken = error
  }
  // What was begun is told, however the rest ended.
  while (underway.length > 0) goesOn = (await settle()) && goesOn
  io.signal.removeEventListener('abort', drain)
  const sum = `${count(done, 'line')} done, ${failed} failed`
  if (broken !== undefined)
    throw new Error(`${errorText(broken)} (${sum}; nothing after it was sent)`, {
      cause: broken,
    })
  if (io.signal.aborted) throw new Error(`Interrupted: ${sum}; the lines after them were not sent`)
  if (failed > 0 && !keepGoing) throw new Error(`${sum}; the lines after them were not sent (--keep-going sends them)`)
  if (failed > 0) io.err(`oslo-msg: ${sum}\n`)
  return failed === 0 ? EXIT.done : isRemoteOnly ? EXIT.found : EXIT.failed
}

async function attempt(line: number, send: () => Promise<unknown>): Promise<Ended> {
  try {
    return { line, answer: await send() }
  } catch (failure) {
    return { line, failure }
  }
}
