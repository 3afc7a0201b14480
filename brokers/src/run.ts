import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import path from 'node:path'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Text for standard input; without it the command reads an empty one. */
  readonly input?: string
  /** The command dies with this process, where the kernel can see to it: for those that write into the cache. */
  readonly tied?: boolean
  /** The command is killed after this time; `code` is then null. Default: no limit. */
  readonly timeoutMs?: number
  /** Every complete line of both outputs, as it is printed. */
  readonly onLine?: (line: string) => void
}

export interface RunResult {
  /** Exit status; null when the command was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. Resolves whatever its exit status; rejects only when it cannot be started. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...rest] = options.tied === true ? await tied(command, args) : [command, ...args]
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    })
    const stdout = collect(child.stdout, options.onLine)
    const stderr = collect(child.stderr, options.onLine)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout: stdout.text(), stderr: stderr.text() }))
    // A command that leaves without reading its input closes the pipe; its exit status says what matters.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** The command line that makes Linux kill the command when this process ends; the command itself where that cannot be
 *  had. */
export async function tied(command: string, args: readonly string[]): Promise<[string, ...string[]]> {
  const setpriv = await findCommand('setpriv')
  return setpriv === undefined ? [command, ...args] : [setpriv, '--pdeathsig', 'KILL', command, ...args]
}

/** Absolute path of a command on the PATH, or undefined. */
export async function findCommand(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder === '') continue
    const file = path.join(folder, name)
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (executable) return file
  }
  return undefined
}

let show = (line: string): void => void process.stderr.write(`brokers: ${line}\n`)

/** One line for the person who waits; on standard error, because standard output belongs to the caller. */
export function progress(line: string): void {
  show(line)
}

/** Sends those lines elsewhere: to the parent, in a process that has no terminal. */
export function showProgressWith(print: (line: string) => void): void {
  show = print
}

function collect(stream: NodeJS.ReadableStream, onLine: ((line: string) => void) | undefined): { text(): string } {
  const chunks: string[] = []
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    chunks.push(chunk)
    if (onLine === undefined) return
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  return { text: () => chunks.join('') }
}
