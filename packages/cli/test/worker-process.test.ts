import { describe, expect, it } from 'vitest'
import { createIo } from '../src/io.ts'
import type { WorkerPlan } from '../src/simulate/worker.ts'
import { ProcessWorker } from '../src/simulate/worker-process.ts'

const PLAN: WorkerPlan = {
  topic: 'toys',
  rpcUrl: 'memory://',
  notifyUrl: 'memory://',
  profile: 'rpc',
  servers: [0],
  members: 1,
  sends: true,
  numbers: { first: 0, step: 1 },
  rate: 1,
  concurrency: 1,
  bytes: 0,
  durationMs: 1,
  timeoutMs: 1000,
  configFile: [],
  configDir: [],
  debug: false,
}
const READY = { ready: { drivers: [], readers: {} } }

function worker(program: string, io: { readonly signal?: AbortSignal } = {}): ProcessWorker {
  const args = ['--input-type=module', '--eval', program]
  const said = { out: () => {}, err: () => {} }
  return new ProcessWorker(
    PLAN,
    { name: 'worker', command: process.execPath, args },
    createIo({ ...said, ...io }),
    () => {},
  )
}

describe('a worker of a simulation in a process of its own', () => {
  it('it dies after it has sent, as a server of the others - that its part of the history is missing is said once', async () => {
    const dying = worker(`
      process.stdin.once('data', () => {
        console.log(JSON.stringify(${JSON.stringify(READY)}))
        process.stdin.once('data', () => {
          console.log(JSON.stringify({ sent: true }))
          process.stdin.once('end', () => process.exit(1))
        })
      })`)
    await dying.open()
    await dying.send(0n, new AbortController().signal)
    await expect(dying.close()).rejects.toThrow('A worker ended with exit code 1')
    await expect(dying.close()).resolves.toBeUndefined()
  })

  it('Ctrl-C while it is not ready yet - is not waited for', async () => {
    const stop = new AbortController()
    const silent = worker("process.stdin.on('end', () => process.exit(0)).resume()", { signal: stop.signal })
    const opening = silent.open()
    stop.abort(new Error('Interrupted by SIGINT'))
    await expect(opening).rejects.toThrow('Interrupted by SIGINT')
    await silent.close()
  })
})
