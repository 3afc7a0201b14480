import { existsSync, readFileSync, statSync } from 'node:fs'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, Deadline } from '@oslo-messaging/core/driver'
import { newId } from '../wire/message.ts'
import type { Runtime } from '../connection/runtime.ts'

/** Gives the part of a reply or fanout queue's name that is this process's own. */
export interface QueueNames {
  next(): Promise<string>
}

/** Random ids; or, with `use_queue_manager`, `<hostname>:<processname>:<n>`, so that a process that comes back finds
 *  its queues again instead of leaving them behind. `n` is counted by all processes of a process group together and
 *  starts again with it. Source: WIRE 6.3. */
export function createQueueNames(runtime: Runtime, folder: string = sharedFolder()): QueueNames {
  const { options, program } = runtime
  if (!options.use_queue_manager) return { next: async () => newId() }
  const host = options.hostname ?? hostname()
  const name = options.processname ?? program
  const file = join(folder, `${host}_${name}_qmanager`.replaceAll('/', '_'))
  return {
    async next() {
      const count = await locked(runtime, `${file}.lock`, async () => await countUp(file, processGroup()))
      return `${host}:${name}:${count}`
    },
  }
}

/** The file holds `<process group>:<last number>`; another group's number does not count. */
async function countUp(file: string, group: number): Promise<number> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : ''
  const [owner, last] = text.split(':').map(Number)
  const next = owner === group && last !== undefined && Number.isInteger(last) ? last + 1 : 1
  await writeFile(file, `${group}:${next}`)
  return next
}

const LOCK_TIMEOUT_MS = 5000
/** A lock this old was left by a process that died with it. */
const STALE_LOCK_MS = 10_000

async function locked<T>({ clock }: Runtime, lockFile: string, work: () => Promise<T>): Promise<T> {
  const deadline = Deadline.after(LOCK_TIMEOUT_MS + STALE_LOCK_MS, { clock })
  for (;;) {
    try {
      await (await open(lockFile, 'wx')).close()
      break
    } catch (error) {
      if (!isExisting(error) || deadline.expired)
        throw new ConfigurationError(`The queue manager cannot lock ${lockFile}`, {
          option: '[oslo_messaging_rabbit] use_queue_manager',
          cause: error,
        })
      if (ageMs(lockFile, clock.wallTime()) > STALE_LOCK_MS) await rm(lockFile, { force: true })
      else await deadline.sleep(10, { phase: 'declare', delivery: 'not-sent', waitingFor: 'lock of the queue manager' })
    }
  }
  try {
    return await work()
  } finally {
    await rm(lockFile, { force: true })
  }
}

function ageMs(path: string, now: number): number {
  return now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now)
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function sharedFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/** Node does not tell the process group; Linux does. Elsewhere the parent stands for it. */
function processGroup(): number {
  if (!existsSync('/proc/self/stat')) return process.ppid
  // pid (name) state ppid pgrp ...; the name may hold anything, brackets too.
  const stat = readFileSync('/proc/self/stat', 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}
