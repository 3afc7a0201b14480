import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface OrphanFacts {
  readonly pids: readonly number[]
  readonly ports: readonly number[]
  /** Data of the stand-in. */
  readonly folder?: string
}

/** Runs orphan.mjs and resolves when it has printed what it started. It needs the built package (`npm run build`). */
export async function startOrphan(
  what: 'stand-in' | 'rabbit' | 'kafka',
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ program: ChildProcess; facts: OrphanFacts }> {
  const file = fileURLToPath(new URL('./orphan.mjs', import.meta.url))
  const program = spawn(process.execPath, [file, what], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: program.stdout }).once('line', resolve)
    program.once('exit', (code) => reject(new Error(`orphan.mjs ended with ${code}; is the package built?`)))
  })
  return { program, facts: JSON.parse(line) as OrphanFacts }
}
