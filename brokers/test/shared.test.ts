import { afterEach, describe, expect, it, vi } from 'vitest'

import { BrokerUnavailable } from '../src/errors.ts'
import { sharedBroker, SOCKET_VARIABLE } from '../src/shared.ts'
import { SharedHost } from '../src/shared-host.ts'

afterEach(() => vi.unstubAllEnvs())

/** Asks as a test file does, at a host that starts what `start` gives. */
async function askingAt(start: (name: string) => Promise<unknown>, ask: () => Promise<void>): Promise<void> {
  await using host = await SharedHost.open(start)
  for (const name of ['RPC_TRANSPORT_URL', 'NOTIFY_TRANSPORT_URL']) vi.stubEnv(name, '')
  vi.stubEnv(SOCKET_VARIABLE, host.socket)
  await ask()
}

const KAFKA = {
  name: 'kafka',
  version: '3.9.2',
  source: 'packages',
  hosts: [{ host: '127.0.0.1', port: 7 }],
  shape: { scheme: 'kafka' },
  consoles: [],
}

describe('the process that keeps shared brokers', () => {
  it('tells a test file how to reach one', async () => {
    await askingAt(
      async () => KAFKA,
      async () => {
        await expect(sharedBroker('kafka')).resolves.toMatchObject({ url: 'kafka://127.0.0.1:7/', version: '3.9.2' })
      },
    )
  })

  it('hands on why there is none, as the same error', async () => {
    await askingAt(
      () => Promise.reject(new BrokerUnavailable('kafka', 'java is missing', 'install Java')),
      async () => {
        const error = await sharedBroker('kafka').catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(BrokerUnavailable)
        expect(error).toMatchObject({ broker: 'kafka', problem: 'java is missing', remedy: 'install Java' })
      },
    )
  })

  it('hands on what broke', async () => {
    await askingAt(
      () => Promise.reject(new Error('it did not start')),
      async () => {
        await expect(sharedBroker('rabbit')).rejects.toThrow('it did not start')
      },
    )
  })
})

describe('a broker named by the environment', () => {
  it('is used instead, without levers and with one virtual host', async () => {
    vi.stubEnv('RPC_TRANSPORT_URL', 'rabbit://u:p@h:1/v')
    const rabbit = await sharedBroker('rabbit')
    expect(rabbit.url).toBe('rabbit://u:p@h:1/v')
    await expect(rabbit.vhost()).resolves.toBe('rabbit://u:p@h:1/v')
    await expect(rabbit.control.eval('ok')).rejects.toThrow('was not started here')
  })
})
