import { EXIT } from './exit-code.ts'
import type { RunOptions } from './io.ts'

const LAST_MS = 2000
const HOLD_MS = 3_600_000

/** Runs a program with the arguments, streams and signals of this process, and leaves its exit code. The first Ctrl-C
 *  drains, the second ends. A reader that went away (`| head`) ends the command quietly, and so does a terminal. */
export async function runAsProcess(
  run: (argv: readonly string[], options: RunOptions) => Promise<number>,
): Promise<void> {
  const { stdout, stderr, stdin, env } = process
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(EXIT.interrupted)
      interrupted.abort(new Error(`Interrupted by ${signal}`))
    })
  // Both the kernel and the shell send it, so that the second is no wish of the operator. Without a terminal it is left
  // alone: nohup has it ignored, which a listener would undo.
  if ([stdin, stdout, stderr].some(({ isTTY }) => isTTY))
    process.on('SIGHUP', () => interrupted.abort(new Error('The terminal went away')))
  let isRead = true
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!isGone(error, stream.isTTY)) throw error
      isRead = false
      interrupted.abort(new Error('Nobody reads the output'))
    })
  // Waiting for a signal holds no process, and a driver inside this one has no socket that does.
  const hold = setInterval(() => {}, HOLD_MS)
  const code = await run(process.argv.slice(2), {
    out: (text) => void (isRead && stdout.write(text)),
    err: (text) => void (isRead && stderr.write(text)),
    env,
    signal: interrupted.signal,
    stdin,
    get columns() {
      return sizeOr(stdout.columns, 80)
    },
    get rows() {
      return sizeOr(stdout.rows, 24)
    },
    onKey: (listener) => listenToKeys(stdin, listener),
    isTerminal: stdout.isTTY,
    colour: stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  })
  clearInterval(hold)
  process.exitCode = isRead ? code : EXIT.done
  // Whatever still holds the process then has been told to close; nobody should wait for it at a prompt.
  setTimeout(() => process.exit(), LAST_MS).unref()
}

/** Whether nobody is left to read. A disk may fail with EIO as well. */
function isGone({ code }: NodeJS.ErrnoException, isTerminal: boolean): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || (isTerminal && code === 'EIO')
}

/** Some terminals say that they have no columns at all. */
const sizeOr = (size: number | undefined, usual: number): number => (size !== undefined && size > 0 ? size : usual)

/** Every key by itself and unseen, Ctrl-C as well, until the function that is returned is called. A stdin that is no
 *  terminal has none. */
function listenToKeys(stdin: NodeJS.ReadStream, listener: (key: string) => void): () => void {
  if (!stdin.isTTY) return () => {}
  const hear = (key: Buffer): void => listener(key.toString())
  // A terminal that has gone away cannot be read, nor set back; its signal says so.
  stdin.on('error', () => {})
  stdin.setRawMode(true).on('data', hear)
  return () => void stdin.off('data', hear).setRawMode(false).pause()
}
