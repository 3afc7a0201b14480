/// <reference lib="esnext.disposable" />
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

/** The programs of a page: the blocks whose fence says `runs NAME`, by that name. */
export async function programsOf(page: string): Promise<ReadonlyMap<string, { language: string; text: string }>> {
  const text = await readFile(page, 'utf8')
  const found = text.matchAll(/^```(\w+) runs ([\w-]+)\n(.*?)^```$/gms)
  return new Map([...found].map(([, language = '', name = '', body = '']) => [name, { language, text: body }]))
}

/** A program that was started; it is ended with its scope. What takes longer than a minute rejects, and tells what was
 *  printed and where the threads of a Python program stood. */
export interface Running extends AsyncDisposable {
  readonly lines: readonly string[]
  /** Resolves when it has printed the words; rejects when it ends before. They need not be a line of their own: threads
   *  of Python write their lines, and the ends of their lines, as they come. */
  until(words: string): Promise<void>
  /** SIGTERM; resolves with its exit code. Rejects when it does not end in time, milliseconds; default a minute. */
  stop(withinMs?: number): Promise<number | null>
  /** Resolves with all that it printed. Rejects unless it ends well. */
  end(): Promise<string>
}

const PATIENCE_MS = 60_000
/** For a program that was told to abort. */
const LAST_WORDS_MS = 5_000
const LATE = Symbol('late')

/** Starts a program as it stands in the page. `beside`: a folder from which its packages are found. */
export async function startProgram(
  { language, text }: { readonly language: string; readonly text: string },
  options: {
    readonly beside: string
    readonly python?: string
    readonly args?: readonly string[]
    readonly url?: string
  },
): Promise<Running> {
  const { beside, python = '', args = [], url } = options
  const folder = await mkdtemp(path.join(beside, '.page-'))
  const compilerOptions = {
    module: ModuleKind.ESNext,
    target: ScriptTarget.ES2022,
    experimentalDecorators: true,
    useDefineForClassFields: false,
  }
  const isPython = language === 'python'
  const name = isPython ? 'main.py' : 'main.mjs'
  await writeFile(
    path.join(folder, name),
    language === 'ts' ? transpileModule(text, { compilerOptions }).outputText : text,
  )
  const env = { ...process.env, PYTHONFAULTHANDLER: '1', ...(url === undefined ? {} : { BROKER_URL: url }) }
  const child = spawn(isPython ? python : process.execPath, [name, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const remove = async (): Promise<void> => await rm(folder, { recursive: true, force: true })
  return watch(child, remove)
}

function watch(child: ChildProcess, remove: () => Promise<void>): Running {
  const lines: string[] = []
  let [printed, complaints] = ['', '']
  const waiting = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    printed += part
    const all = printed.split('\n')
    lines.splice(0, lines.length, ...all.slice(0, -1))
    for (const look of waiting) look()
  })
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (complaints += part))
  const closed = once(child, 'close') as Promise<[number | null]>
  const failure = (what: string): Error => new Error(`${what}; it printed\n${printed}\n${complaints.slice(-4000)}`)
  const inTime = async <T>(promise: Promise<T>, what: string, withinMs = PATIENCE_MS): Promise<T> => {
    const enough = new AbortController()
    const late = sleep(withinMs, LATE, { signal: enough.signal }).catch((): typeof LATE => LATE)
    try {
      const first = await Promise.race([promise, late])
      if (first !== LATE) return first
    } finally {
      enough.abort()
    }
    promise.catch(() => {})
    // Python's fault handler writes the stacks of all threads.
    child.kill('SIGABRT')
    await Promise.race([closed, sleep(LAST_WORDS_MS)])
    throw failure(`The program ${what} within ${withinMs} ms`)
  }
  return {
    lines,
    until: async (words) => {
      let look = (): void => {}
      const seen = new Promise<void>((resolve) => {
        look = () => void (printed.includes(words) && resolve())
        waiting.add(look)
        look()
      })
      const ended = closed.then(([code]) => {
        throw failure(`The program ended with ${code} before it said ${words}`)
      })
      try {
        await inTime(Promise.race([seen, ended]), `did not say ${words}`)
      } finally {
        waiting.delete(look)
      }
    },
    stop: async (withinMs) => {
      child.kill('SIGTERM')
      return (await inTime(closed, 'did not end after SIGTERM', withinMs))[0]
    },
    end: async () => {
      const [code] = await inTime(closed, 'did not end')
      if (code !== 0) throw failure(`The program ended with ${code}`)
      return printed
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await closed
      await remove()
    },
  }
}
