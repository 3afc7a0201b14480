import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { row } from '../duel.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import type { Turn } from '../turn.ts'

/** Packages, and what each is compared with: the client library it stands on. Core has none, and is compared with bare Node. */
const PACKAGES = [
  { name: '@oslo-messaging/core', peer: undefined },
  { name: '@oslo-messaging/core/driver', peer: undefined },
  { name: '@oslo-messaging/rabbit', peer: 'amqplib' },
  { name: '@oslo-messaging/kafka', peer: 'kafkajs' },
] as const

/** Milliseconds that importing a package adds to a Node process that does nothing else: process with minus process without.
 *  The figures of the peer `bare Node` are those of the whole process. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-bench-'))
  try {
    const empty = programFor(folder, undefined)
    const rounds = quick ? 11 : 41
    const rows: Row[] = []
    await timeProcess(empty)
    for (const { name, peer } of PACKAGES) {
      const workload = { name: `import ${name}`, concurrency: 1, bytes: 0 }
      if (!wants(workload)) continue
      say(`${name}, ${rounds} processes`)
      const [program, peerProgram] = [programFor(folder, name), programFor(folder, peer)]
      const ours: Turn[] = []
      const theirs: Turn[] = []
      for (let round = 0; round < rounds; round += 1) {
        const bare = await timeProcess(empty)
        ours.push(above(await timeProcess(program), bare))
        theirs.push(peer === undefined ? bare : above(await timeProcess(peerProgram), bare))
      }
      rows.push(row(workload, ours, peer ?? 'bare Node', theirs))
    }
    return { rows }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A program that imports the package by its address, so that looking for it is not part of the time. */
function programFor(folder: string, name: string | undefined): string {
  const file = join(folder, `${name?.replaceAll(/\W/g, '-') ?? 'empty'}.mjs`)
  const load = name === undefined ? '' : `import ${JSON.stringify(import.meta.resolve(name))}\n`
  writeFileSync(file, `${load}process.stdout.write(JSON.stringify(process.cpuUsage()))\n`)
  return file
}

async function timeProcess(file: string): Promise<Turn> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  const elapsedMs = performance.now() - startedAt
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`)
  const { user, system } = JSON.parse(output) as NodeJS.CpuUsage
  return { operations: 1, elapsedMs, cpuUs: user + system, latenciesMs: [elapsedMs] }
}

/** What the package adds. Never less than a tenth of a millisecond: noise can make a process with it quicker than one without. */
function above(turn: Turn, bare: Turn): Turn {
  const elapsedMs = Math.max(0.1, turn.elapsedMs - bare.elapsedMs)
  return { operations: 1, elapsedMs, cpuUs: Math.max(0, turn.cpuUs - bare.cpuUs), latenciesMs: [elapsedMs] }
}
