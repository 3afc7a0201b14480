import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { acquireLock, cached, cacheFolder } from '../src/cache.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'broker-cache-test-'))
  vi.stubEnv('OSLO_MESSAGING_BROKER_CACHE', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

/** The number of a process that has certainly ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true')
  await new Promise((resolve) => child.on('close', resolve))
  return child.pid ?? 0
}

describe('the cache folder', () => {
  it('is named by the environment, else lies in the folder of the user', () => {
    expect(cacheFolder()).toBe(folder)
    vi.stubEnv('OSLO_MESSAGING_BROKER_CACHE', '')
    vi.stubEnv('XDG_CACHE_HOME', '/somewhere')
    expect(cacheFolder()).toBe('/somewhere/oslo-messaging-brokers')
  })

  it('is filled once, however many ask at the same time', async () => {
    let fills = 0
    const fill = async (into: string): Promise<void> => {
      fills++
      await sleep(50)
      await writeFile(path.join(into, 'file'), 'content')
    }
    const folders = await Promise.all(Array.from({ length: 8 }, () => cached('thing', fill)))
    expect(fills).toBe(1)
    expect(new Set(folders)).toEqual(new Set([path.join(folder, 'thing')]))
    await expect(readFile(path.join(folder, 'thing/file'), 'utf8')).resolves.toBe('content')
    expect(existsSync(path.join(folder, 'thing.lock'))).toBe(false)
  })

  it('starts again from nothing after a fill that failed', async () => {
    const half = async (into: string): Promise<void> => {
      await writeFile(path.join(into, 'half'), '')
      throw new Error('the network went away')
    }
    await expect(cached('thing', half)).rejects.toThrow('the network went away')
    await cached('thing', async (into) => {
      expect(existsSync(path.join(into, 'half'))).toBe(false)
    })
  })
})

describe('the lock', () => {
  it('of a process that died is taken over, by one waiter at a time', async () => {
    const file = path.join(folder, 'lock')
    await writeFile(file, JSON.stringify({ pid: await deadPid(), identity: '1' }))
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const release = await acquireLock(file, 'a test')
        most = Math.max(most, ++inside)
        await sleep(5)
        inside--
        await release()
      }),
    )
    expect(most).toBe(1)
  })

  it('of another process with the same number is taken over', async () => {
    const file = path.join(folder, 'lock')
    await writeFile(file, JSON.stringify({ pid: process.pid, identity: 'from before the machine started' }))
    const release = await acquireLock(file, 'a test')
    await release()
  })
})
