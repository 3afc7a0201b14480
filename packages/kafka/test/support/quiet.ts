import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('./quiet-process.ts', import.meta.url))
const HOOK = new URL('./typescript-hook.mjs', import.meta.url).href

export interface Printed {
  readonly out: string
  readonly err: string
}

/** What `quiet-process.ts` prints, run by that Node. */
export async function printedBy(node: string, url: string, topic: string, what: string): Promise<Printed> {
  const { stdout, stderr } = await run(
    node,
    ['--conditions', '@oslo-messaging/source', '--import', HOOK, PROGRAM, url, topic, what],
    { timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '', KAFKAJS_NO_PARTITIONER_WARNING: '' } },
  )
  return { out: stdout, err: stderr }
}
