import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CredentialsProvider,
  Deadline,
  type Driver,
  HostRotation,
  Target,
  TransportURL,
} from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { AmqpOptions } from '../../src/config.ts'
import { openConnection } from '../../src/connection/peer-connection.ts'
import { amqpDriver } from '../../src/index.ts'
import { openDriver } from '../support/open-driver.ts'
import { type Peer, startPeer } from '../support/peer.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const QUICK: Partial<AmqpOptions> = { addressing_mode: 'legacy', connection_retry_interval: 0.05 }

async function start(users: Record<string, string>, credentials: CredentialsProvider, login = '') {
  const peer = await startPeer({ users, plainOnly: true })
  ends.push(() => peer.close())
  const driver = await openDriver(`amqp://${login}127.0.0.1:${peer.port}/`, QUICK, { credentials })
  ends.push(() => driver.close({ signal: AbortSignal.timeout(100) }))
  return { peer, driver }
}

async function cast(driver: Driver, timeoutMs = 5000): Promise<void> {
  const deadline = Deadline.after(timeoutMs)
  const options = { waitForReply: false, deadline, expiresInMs: null, callMonitorTimeoutMs: null, retries: null }
  const request = { context: {}, message: { method: 'm', args: {} } }
  await driver.send(new Target({ topic: 't' }), request, { ...options, atLeastOnce: false })
}

/** Casts until one arrives. */
async function castThrough({ driver, peer }: { readonly driver: Driver; readonly peer: Peer }): Promise<void> {
  const before = peer.received.length
  await expect
    .poll(
      async () =>
        await cast(driver, 500).then(
          () => peer.received.length,
          () => before,
        ),
      { timeout: 10_000 },
    )
    .toBeGreaterThan(before)
}

describe('credentials of the application', () => {
  it('are asked for at each attempt, for the host that is tried: new ones need no restart', async () => {
    const users = { ann: 'one' }
    let password = 'one'
    const hosts: unknown[] = []
    const { peer, driver } = await start(users, (host) => {
      hosts.push(host)
      return { username: 'ann', password }
    })
    await cast(driver)
    expect(hosts).toEqual([{ hostname: '127.0.0.1', port: peer.port }])
    users.ann = 'two'
    password = 'two'
    peer.reset()
    await castThrough({ driver, peer })
    expect(hosts.length).toBeGreaterThan(1)
  })

  it('that the peer takes no more are asked for again until it does: they are renewed while a service runs', async () => {
    const users = { ann: 'one' }
    let password = 'one'
    const { peer, driver } = await start(users, () => ({ username: 'ann', password }))
    await driver.listen(new Target({ topic: 'served', server: 'a' }), {
      deadline: Deadline.after(5000),
      prefetch: 4,
      onMessage: () => {},
    })
    users.ann = 'two'
    peer.reset()
    await expect.poll(() => JSON.stringify(driver.health()), { timeout: 5000 }).toContain('unauthorized-access')
    password = 'two'
    await expect.poll(() => driver.health().status, { timeout: 10_000 }).toBe('ok')
    await cast(driver)
  })

  it('that are wrong from the beginning are refused at once', async () => {
    const { driver } = await start({ ann: 'one' }, () => ({ username: 'ann', password: 'wrong' }))
    await expect(cast(driver)).rejects.toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
  })

  it('those of the URL are used where the application has none', async () => {
    const { peer, driver } = await start({ bob: 'pw' }, () => undefined, 'bob:pw@')
    await cast(driver)
    // A cast is settled when it is sent.
    await expect.poll(() => peer.received.length).toBe(1)
  })

  it('that cannot be had are a passing failure, and none of its text is shown', async () => {
    let isDown = true
    const { peer, driver } = await start({ ann: 'one' }, async () => {
      if (isDown) throw new Error('token hunter2')
      return { username: 'ann', password: 'one' }
    })
    const error: unknown = await cast(driver, 300).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      message: expect.stringContaining(`No credentials for 127.0.0.1:${peer.port}`) as string,
    })
    expect(JSON.stringify(driver.health())).not.toContain('hunter2')
    isDown = false
    await castThrough({ driver, peer })
  })
})

it('a certificate file that is being replaced is a passing failure: it is read again at the next attempt', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  writeFileSync(file, 'old')
  const url = TransportURL.parse('amqp://127.0.0.1:1/')
  const context = createDriverContext(amqpDriver, { options: { ssl_ca_file: file } })
  const driver = await amqpDriver.open(url, context)
  await driver.close()
  rmSync(file)
  const host = new HostRotation(url, { defaultPort: 1, random: () => 0 }).next()
  const attempt = openConnection({ context, url, containerId: 'c' }, host, AbortSignal.timeout(1000))
  await expect(attempt).rejects.toMatchObject({ retryable: true, message: expect.stringContaining('ca.pem') as string })
})
