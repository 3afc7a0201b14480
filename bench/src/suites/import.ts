import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { row } from '../duel.ts'
import { SAY_CPU, timeProcess } from '../process-turn.ts'
import { installPublished } from '../published.ts'
import type { Row, SuiteOptions, SuiteOutcome } from '../result.ts'
import type { Turn } from '../turn.ts'

/** Doors, the file of each, and what each is compared with: the client library it stands on. Core has none, and is
 *  compared with bare Node. */
const DOORS = [
  { name: '@oslo-messaging/core', file: 'core/dist/index.js', peer: undefined },
  { name: '@oslo-messaging/core/driver', file: 'core/dist/driver.js', peer: undefined },
  { name: '@oslo-messaging/rabbit', file: 'rabbit/dist/index.js', peer: 'amqplib' },
  { name: '@oslo-messaging/kafka', file: 'kafka/dist/index.js', peer: 'kafkajs' },
] as const

/** Milliseconds that importing a package as it is published adds to a Node process that does nothing else: process with
 *  minus process without.
 *  The figures of the peer `bare Node` are those of the whole process; `as built` is this workspace, before its modules
 *  are rolled into few files. */
export async function run({ quick, wants, say }: SuiteOptions): Promise<SuiteOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-bench-'))
  try {
    say('rolling the packages')
    installPublished(folder, ['core', 'rabbit', 'kafka'])
    const program = (name: string, address?: string): string => {
      const file = join(folder, `${name.replaceAll(/\W/g, '-')}.mjs`)
      // By its address, so that looking for it is not part of the time.
      writeFileSync(file, `${address === undefined ? '' : `import ${JSON.stringify(address)}\n`}${SAY_CPU}`)
      return file
    }
    const empty = program('empty')
    const time = async (file: string): Promise<Turn> => await timeProcess(file, { until: 'end' })
    const rounds = quick ? 11 : 41
    const rows: Row[] = []
    await time(empty)
    for (const { name, file, peer } of DOORS) {
      const workload = { name: `import ${name}`, concurrency: 1, bytes: 0 }
      if (!wants(workload)) continue
      say(`${name}, ${rounds} processes`)
      const published = program(name, pathToFileURL(join(folder, 'node_modules/@oslo-messaging', file)).href)
      const built = program(`${name} as built`, import.meta.resolve(name))
      const other = peer === undefined ? undefined : program(peer, import.meta.resolve(peer))
      const [ours, asBuilt, theirs]: [Turn[], Turn[], Turn[]] = [[], [], []]
      for (let round = 0; round < rounds; round += 1) {
        const bare = await time(empty)
        ours.push(above(await time(published), bare))
        asBuilt.push(above(await time(built), bare))
        theirs.push(other === undefined ? bare : above(await time(other), bare))
      }
      rows.push(row(workload, ours, peer ?? 'bare Node', theirs), row(workload, ours, 'as built', asBuilt))
    }
    return { rows }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the package adds. Never less than a tenth of a millisecond: noise can make a process with it quicker than one
 *  without. */
function above(turn: Turn, bare: Turn): Turn {
  const elapsedMs = Math.max(0.1, turn.elapsedMs - bare.elapsedMs)
  return { operations: 1, elapsedMs, cpuUs: Math.max(0, turn.cpuUs - bare.cpuUs), latenciesMs: [elapsedMs] }
}
