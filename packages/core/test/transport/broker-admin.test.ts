import { describe, expect, it } from 'vitest'
import { RedriveTally } from '../../src/driver/driver-admin.ts'
import type { DriverDefinition } from '../../src/driver/driver.ts'
import { createDriverRegistry, loadConfig, openBrokerAdmin, TransportDriverError } from '../../src/index.ts'
import { memoryDriver } from '../../src/testing.ts'

type Admin = Awaited<ReturnType<NonNullable<DriverDefinition['administer']>>>

async function open(admin: Admin, options: Parameters<typeof openBrokerAdmin>[1] = {}) {
  const driver: DriverDefinition = { ...memoryDriver, name: 'door', schemes: ['door'], administer: () => admin }
  const { capabilities } = memoryDriver
  const plain: DriverDefinition = { name: 'plain', schemes: ['plain'], capabilities, open: () => expect.fail('opened') }
  const conf = await loadConfig({
    overrides: {
      DEFAULT: { transport_url: 'door://user:secret@rpc/' },
      oslo_messaging_notifications: { transport_url: 'door://user:secret@bus/' },
    },
  })
  return await openBrokerAdmin(conf, {
    registry: createDriverRegistry({ drivers: [driver, plain] }),
    ...options,
  })
}

const close = async (): Promise<void> => {}

describe('openBrokerAdmin', () => {
  it('P09 - asks the driver of the URL with every field settled', async () => {
    const asked: unknown[] = []
    const admin = await open({
      close,
      redrive: async ({ deadline, ...request }) => {
        asked.push({ ...request, timeoutMs: deadline.timeoutMs })
        return { moved: 0, left: null, skipped: [] }
      },
    })
    await admin.redrive('n.info')
    await admin.redrive('n.info', { to: 'x', limit: 2, dryRun: true, timeoutMs: 5 })
    expect(asked).toEqual([
      { source: 'n.info', to: null, limit: null, dryRun: false, timeoutMs: null },
      { source: 'n.info', to: 'x', limit: 2, dryRun: true, timeoutMs: 5 },
    ])
    expect(admin.url.hosts[0]?.hostname).toBe('rpc')
    await admin[Symbol.asyncDispose]()
  })

  it('takes the URL of notifications when told, and one that is given before all', async () => {
    expect((await open({ close }, { section: 'notifications' })).url.hosts[0]?.hostname).toBe('bus')
    expect((await open({ close }, { url: 'door://given/' })).url.hosts[0]?.hostname).toBe('given')
  })

  it('refuses what the driver cannot do, in its name and with what it offers', async () => {
    const queues = await open({ close, queues: async () => [] })
    await expect(queues.redrive('q')).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_UNSUPPORTED',
      capability: 'redrive',
      message: 'The door driver has no redrive; it offers queues',
    })
    await expect(open({ close }, { url: 'plain://' })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_UNSUPPORTED',
      message: expect.stringMatching(/driver has no administration; it offers nothing for operators/) as string,
    })
  })

  it.each([{ limit: 0 }, { limit: 1.5 }, { limit: -1 }])('limit $limit is misuse', async ({ limit }) => {
    const admin = await open({ close, redrive: async () => ({ moved: 0, left: 0, skipped: [] }) })
    await expect(admin.redrive('q', { limit })).rejects.toThrow(TypeError)
    await expect(admin.redrive('')).rejects.toThrow(TypeError)
  })
})

describe('RedriveTally', () => {
  it('counts by reason', () => {
    const tally = new RedriveTally()
    tally.move()
    for (const reason of ['a', 'b', 'a']) tally.skip(reason)
    expect(tally.report(3)).toEqual({
      moved: 1,
      left: 3,
      skipped: [
        { reason: 'a', count: 2 },
        { reason: 'b', count: 1 },
      ],
    })
  })

  it('P09 - a run that ends early fails as it did before it moved anything, and says how many it moved after that', () => {
    const tally = new RedriveTally()
    const cause = new TransportDriverError('gone', { retryable: true })
    expect(tally.interrupted(cause)).toBe(cause)
    tally.move()
    expect(tally.interrupted(cause)).toMatchObject({
      cause,
      retryable: true,
      message: 'gone (dead letters moved before that: 1; the rest is where it was)',
    })
    expect(tally.interrupted(new Error('odd'))).toMatchObject({ code: 'OSLO_MESSAGING_DRIVER' })
  })
})
