import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CredentialsProvider } from '@oslo-messaging/core/driver'
import { Target } from '@oslo-messaging/core/driver'
import { afterEach, describe, expect, it } from 'vitest'
import { openReal } from '../support/broker.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { OddPeer } from '../support/odd-peer.ts'
import { castOptions, openDriver } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'm', args: {} } }
const fanout = new Target({ topic: 't', fanout: true })

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A driver before a peer that writes down who logged in, and with which new secrets. */
async function start(credentials: CredentialsProvider) {
  const peer = await OddPeer.start()
  ends.push(async () => await peer.close())
  const logins: string[] = []
  const renewed: string[] = []
  peer.onMethod = ({ name, entity }) => {
    if (name === 'connection.start-ok') logins.push(entity)
    if (name === 'connection.update-secret') renewed.push(entity)
  }
  const options = { rabbit_login_method: 'PLAIN', rabbit_retry_interval: 0.05 }
  const driver = openReal(peer.url, { credentials, options })
  ends.push(async () => await driver.close())
  const cast = async (timeoutMs = 5000): Promise<unknown> =>
    await driver.send(fanout, request, castOptions({ timeoutMs }))
  return { peer, driver, logins, renewed, cast }
}

describe('credentials of the application', () => {
  it('are asked for at each attempt, for the host that is tried: new ones need no restart', async () => {
    let password = 'one'
    const hosts: unknown[] = []
    const { peer, logins, cast } = await start((host) => {
      hosts.push(host)
      return { username: 'u', password }
    })
    await cast()
    password = 'two'
    peer.open[0]?.socket.destroy()
    await expect.poll(async () => await cast(500).then(() => logins.length)).toBe(2)
    expect(logins).toEqual(['\0u\0one', '\0u\0two'])
    expect(hosts).toEqual([
      { hostname: '127.0.0.1', port: peer.port },
      { hostname: '127.0.0.1', port: peer.port },
    ])
  })

  it('those of the URL are used where the application has none', async () => {
    const { logins, cast } = await start(() => undefined)
    await cast()
    expect(logins).toEqual(['\0guest\0guest'])
  })

  it('that cannot be had are a passing failure, and none of its text is shown', async () => {
    let isDown = true
    const { driver, cast, logins } = await start(async () => {
      if (isDown) throw new Error('the vault is sealed')
      return { username: 'u', password: 'p' }
    })
    await expect(cast(300)).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      message: expect.stringMatching(/No credentials for 127.0.0.1:\d+: their provider failed/) as string,
    })
    expect(driver.health()).toMatchObject({ status: 'degraded' })
    expect(JSON.stringify(driver.health())).not.toContain('vault')
    isDown = false
    await cast()
    expect(logins).toEqual(['\0u\0p'])
  })

  it('that never come end with the attempt', async () => {
    let asked = 0
    const { cast } = await start(async (_host, { signal }) => {
      asked += 1
      if (asked > 1) return { username: 'u', password: 'p' }
      return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))))
    })
    await expect(cast(300)).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    expect(asked).toBe(1)
  })

  it('that expire are renewed before, on the same connection', async () => {
    let asked = 0
    const { peer, cast, logins, renewed } = await start(() => {
      asked += 1
      return { username: 'u', password: `token-${asked}`, expiresInMs: asked === 3 ? 3_600_000 : 400 }
    })
    await cast()
    await expect.poll(() => renewed, { timeout: 5000 }).toEqual(['token-2', 'token-3'])
    expect(logins).toEqual(['\0u\0token-1'])
    expect(peer.connections).toHaveLength(1)
    await cast()
  })

  it('that cannot be renewed cost the connection when they expire; the next one asks anew', async () => {
    let asked = 0
    const { peer, cast, logins } = await start(() => {
      asked += 1
      if (asked === 2) throw new Error('the vault is sealed')
      return { username: asked === 1 ? 'u' : 'v', password: 'p', ...(asked === 1 ? { expiresInMs: 300 } : {}) }
    })
    await cast()
    await expect.poll(() => peer.open.length, { timeout: 5000 }).toBe(1)
    await expect.poll(async () => await cast(500).then(() => logins), { timeout: 5000 }).toEqual(['\0u\0p', '\0v\0p'])
  })
})

it('certificate files are read again at each attempt; one that is being replaced is a passing failure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  ends.push(async () => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  writeFileSync(file, 'old')
  const broker = new FakeBroker()
  const driver = openDriver(broker, { options: { ssl: true, ssl_ca_file: file, rabbit_retry_interval: 0.05 } })
  ends.push(async () => await driver.close())
  await driver.send(fanout, request, castOptions())
  rmSync(file)
  broker.open[0]?.drop()
  await expect.poll(() => driver.health().components[0]?.reason).toMatch(/ca.pem cannot be read/)
  expect(driver.health().status).toBe('degraded')
  writeFileSync(file, 'new')
  await expect.poll(() => driver.health().status, { timeout: 5000 }).toBe('ok')
  expect(broker.attempts.map(({ tls }) => String(tls?.ca))).toEqual(['old', 'new'])
})
