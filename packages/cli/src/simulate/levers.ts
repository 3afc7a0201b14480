import { spawn } from 'node:child_process'

/** How long a lever may take to do what it does. */
const LEVER_MS = 120_000

/** Commands of the operator that do to the broker what no proxy can. */
export interface Levers {
  readonly restart: string | undefined
  readonly killNode: string | undefined
  readonly startNode: string | undefined
}

/** Runs a command in a shell. Rejects when it fails, with its last line. */
export async function pull(command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: LEVER_MS })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return
  const last = said.trim().split('\n').at(-1) ?? ''
  throw new Error(
    `${command} ended with exit code ${code ?? 'none, it took too long'}${last === '' ? '' : `: ${last}`}`,
  )
}
