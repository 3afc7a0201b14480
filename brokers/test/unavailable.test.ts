import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { BrokerUnavailable } from '../src/errors.ts'
import { fetchBroker } from '../src/fetch.ts'
import { startBroker } from '../src/start.ts'

let folder: string

/** A machine with nothing on its PATH and nothing in its cache. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bare-machine-'))
  vi.stubEnv('PATH', folder)
  vi.stubEnv('OSLO_MESSAGING_BROKER_CACHE', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

it.each([
  ['kafka', /java is missing; remedy: install a Java 17 development kit, start Docker, or set NOTIFY_TRANSPORT_URL/],
  ['artemis', /java is missing; remedy: .*RPC_TRANSPORT_URL/],
  ['broker-j', /java is missing; remedy: .*RPC_TRANSPORT_URL/],
  [
    'nats',
    /bash is missing, so packages cannot be unpacked; remedy: set RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL to a nats/,
  ],
  [
    'redis',
    /bash is missing, so packages cannot be unpacked; remedy: set RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL to a redis/,
  ],
  ['rabbit', /bash is missing, so packages cannot be unpacked; remedy: start Docker, or set RPC_TRANSPORT_URL/],
] as const)('%s on a bare machine - is one line with the remedy', async (name, line) => {
  for (const ask of [() => startBroker(name), () => fetchBroker(name)]) {
    const error = await ask().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(BrokerUnavailable)
    expect(String(error)).toMatch(line)
    expect(String(error)).not.toContain('\n')
  }
})

it('a version that is not packaged - names those that are', async () => {
  await expect(startBroker('rabbit', { version: '3.13' })).rejects.toThrow('ask for one of 3.10.8, 4.0.5, 4.3.6')
  await expect(startBroker('nats', { version: '1.4' })).rejects.toThrow('ask for one of 2.9.10, 2.10.27')
  await expect(startBroker('redis', { version: '6' })).rejects.toThrow('ask for one of 7.0.15, 8.0.2')
})
