/// <reference lib="esnext.disposable" />
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

/** The programs of a page: the blocks whose fence says `runs NAME`, by that name. */
export async function programsOf(page: string): Promise<ReadonlyMap<string, { language: string; text: string }>> {
  const text = await readFile(page, 'utf8')
  const found = text.matchAll(/^```(\w+) runs ([\w-]+)\n(.*?)^```$/gms)
  return new Map([...found].map(([, language = '', name = '', body = '']) => [name, { language, text: body }]))
}

/** A program that was started; it is ended with its scope. */
export interface Running extends AsyncDisposable {
  readonly lines: readonly string[]
  /** Resolves when it has printed such a line; rejects when it ends before. */
  until(line: string): Promise<void>
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>
  /** Resolves with all that it printed. Rejects unless it ends well. */
  end(): Promise<string>
}

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
  const env = url === undefined ? process.env : { ...process.env, BROKER_URL: url }
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
  return {
    lines,
    until: async (line) => {
      let look = (): void => {}
      const seen = new Promise<void>((resolve) => {
        look = () => void (lines.includes(line) && resolve())
        waiting.add(look)
        look()
      })
      const ended = closed.then(([code]) => {
        throw failure(`The program ended with ${code} before it said ${line}`)
      })
      try {
        await Promise.race([seen, ended])
      } finally {
        waiting.delete(look)
      }
    },
    stop: async () => {
      child.kill('SIGTERM')
      return (await closed)[0]
    },
    end: async () => {
      const [code] = await closed
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
