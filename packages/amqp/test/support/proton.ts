import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LAST_PYTHON_WITH_AMQP10, pythonWithLibrary } from '@oslo-messaging/brokers'

/** A peer that speaks AMQP 1.0 with qpid-proton, in a process of its own. */
export interface ProtonPeer {
  readonly url: string
  close(): Promise<void>
}

const SCRIPTS = {
  router: new URL('proton_router.py', import.meta.url),
  broker: new URL('../../../../interop/peers/amqp10_broker.py', import.meta.url),
} as const
const READY_WITHIN_MS = 20_000

/** Starts one; it ends with this process. Rejects with BrokerUnavailable where proton cannot be had. */
export async function startProton(kind: keyof typeof SCRIPTS): Promise<ProtonPeer> {
  const python = await pythonWithLibrary(LAST_PYTHON_WITH_AMQP10)
  const child = spawn(python, [fileURLToPath(SCRIPTS[kind]), ...(kind === 'broker' ? ['--until-eof'] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = await portOf(child)
  return {
    url: `amqp://127.0.0.1:${port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
        child.stdin?.end()
      }),
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No word from proton in ${READY_WITHIN_MS} ms`)), READY_WITHIN_MS)
    child.once('exit', (code) => reject(new Error(`proton ended with ${code}`)))
    if (child.stdout === null) return reject(new Error('proton has no output'))
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer)
      resolve((JSON.parse(line) as { readonly port: number }).port)
    })
  })
}
