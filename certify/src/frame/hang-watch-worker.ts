// The thread of HangWatch. It must not wait for the main thread in any way, so it writes and kills by itself.
import { writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'

const LOOK_MS = 1_000
const PATIENCE_MS = 60_000

const { folder, beats } = workerData as { readonly folder: string; readonly beats: Int32Array }
let doing = 'the start'
let seen = 0
let stillMs = 0

parentPort?.on('message', (what: string) => (doing = what))
setInterval(() => {
  const now = Atomics.load(beats, 0)
  stillMs = now === seen ? stillMs + LOOK_MS : 0
  seen = now
  if (stillMs < PATIENCE_MS) return
  const problem = `the event loop has stood still for ${PATIENCE_MS / 1000} s in ${doing}`
  writeFileSync(join(folder, 'hang.json'), `${JSON.stringify({ passed: false, problem })}\n`)
  writeSync(2, `FAILED: ${problem}\n`)
  process.kill(process.pid, 'SIGKILL')
}, LOOK_MS)
