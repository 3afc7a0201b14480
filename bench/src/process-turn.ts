import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Turn } from './turn.ts'

/** Ends a program whose turn is taken: what its CPU time was, on one line. */
export const SAY_CPU = 'process.stdout.write(`${JSON.stringify(process.cpuUsage())}\\n`)\n'

/** Runs a program in a process of its own, as one operation. It lasts from the start of the process to the line of
 *  `SAY_CPU`, or to the end of the process. */
export async function timeProcess(
  file: string,
  { args = [], until }: { readonly args?: readonly string[]; readonly until: 'line' | 'end' },
): Promise<Turn> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  let saidAt = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') saidAt = performance.now()
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const elapsedMs = (until === 'line' ? saidAt : performance.now()) - startedAt
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`)
  const { user, system } = JSON.parse(output) as NodeJS.CpuUsage
  return { operations: 1, elapsedMs, cpuUs: user + system, latenciesMs: [elapsedMs] }
}
