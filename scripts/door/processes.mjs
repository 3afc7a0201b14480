import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Folder of the workspace, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** A failure that needs no stack: `message` says all. */
export class ExpectedError extends Error {
  expected = true
}

/** How long children may take to end after a signal before they are killed. */
const PATIENCE_MS = 10_000

/** What runs now; every entry ends its process, or its brokers. */
const running = new Set()
let endedBy

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const again = endedBy !== undefined
    endedBy = signal
    for (const end of running) end(again ? 'SIGKILL' : signal)
    // Jobs unwind by themselves once their children have ended; without any there is nothing to wait for.
    setTimeout(() => process.exit(exitCodeOf(signal)), running.size === 0 ? 0 : PATIENCE_MS + 1_000).unref()
  })
}

/** 128 + number, as a shell counts. */
export function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0)
}

/** Calls `end` when a signal asks the door to stop; the returned function calls that off. */
export function onInterrupt(end) {
  running.add(end)
  return () => running.delete(end)
}

/** The signal that asked the door to stop; undefined while nothing did. */
export function interruptedBy() {
  return endedBy
}

/** Runs a program with the door's own terminal and resolves with its exit code. Rejects only when it cannot be
 *  started. */
export function execute(command, args, { env = process.env, cwd = root, stdio = 'inherit' } = {}) {
  if (endedBy !== undefined) return Promise.resolve(exitCodeOf(endedBy))
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio, shell: false })
    let killTimer
    const release = onInterrupt((signal) => {
      child.kill(signal)
      killTimer ??= setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    })
    const done = () => {
      release()
      clearTimeout(killTimer)
    }
    child.once('error', (error) => {
      done()
      reject(error)
    })
    child.once('close', (code, signal) => {
      done()
      if (endedBy !== undefined) resolve(exitCodeOf(endedBy))
      else resolve(code ?? exitCodeOf(signal))
    })
  })
}

/** Runs a JavaScript file with this Node. */
export function executeNode(script, args, options) {
  return execute(process.execPath, [script, ...args], options)
}
