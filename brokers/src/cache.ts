import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { isAlive, processIdentity } from './process-identity.ts'
import { progress } from './run.ts'

/** Where unpacked brokers and Python environments survive between runs:
 *  OSLO_MESSAGING_BROKER_CACHE, else `oslo-messaging-brokers` in the user's cache folder. */
export function cacheFolder(): string {
  const named = process.env['OSLO_MESSAGING_BROKER_CACHE']
  if (named !== undefined && named !== '') return path.resolve(named)
  const home = process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache')
  return path.join(home, 'oslo-messaging-brokers')
}

/** The folder `name` of the cache, filled by `fill` when it is not there yet. Only a fill that ended well counts:
 *  after a crash or an error the next caller starts from an empty folder. Concurrent callers, in this process or in
 *  others, wait for the one that fills. Rejects with what `fill` throws. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder(), name)
  const complete = `${folder}.complete`
  if (existsSync(complete)) return folder
  await mkdir(path.dirname(folder), { recursive: true })
  const release = await acquireLock(`${folder}.lock`, name)
  try {
    if (existsSync(complete)) return folder
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    await fill(folder)
    await writeFile(complete, '')
    return folder
  } finally {
    await release()
  }
}

/** Takes the lock file, waiting for a living owner and clearing away a dead one's. Resolves to the function that gives
 *  it back. */
export async function acquireLock(file: string, what: string): Promise<() => Promise<void>> {
  const mine = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) })
  let told = false
  for (;;) {
    if (await createExclusively(file, mine)) return () => rm(file, { force: true })
    const owner = await readOwner(file)
    if (owner !== undefined && !isAlive(owner.pid, owner.identity)) {
      await clearStaleLock(file, owner)
      continue
    }
    if (!told && owner !== undefined && owner.pid !== process.pid) {
      told = true
      progress(`waiting for process ${owner.pid}, which is preparing ${what}`)
    }
    await sleep(100)
  }
}

interface Owner {
  readonly pid: number
  readonly identity: string
}

/** Two waiters may find the same dead owner. Only the one that holds the broom sweeps, and only what it has seen dead,
 *  so nobody removes the lock that a third one has just taken. */
async function clearStaleLock(file: string, dead: Owner): Promise<void> {
  const broom = `${file}.broom`
  if (await createExclusively(broom, '')) {
    try {
      const owner = await readOwner(file)
      if (owner?.pid === dead.pid && owner.identity === dead.identity) await rm(file, { force: true })
    } finally {
      await rm(broom, { force: true })
    }
    return
  }
  const abandoned = await stat(broom).then(
    (facts) => Date.now() - facts.mtimeMs > 10_000,
    () => false,
  )
  if (abandoned) await rm(broom, { force: true })
  await sleep(20)
}

/** The file appears with its whole content or not at all: a link to a finished one, so that a crash never leaves an
 *  empty lock. */
async function createExclusively(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, content)
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  // Gone in the meantime means "try to take it".
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text === '') return undefined
  return JSON.parse(text) as Owner
}
