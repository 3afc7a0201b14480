import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { getNotificationTransport, getRpcClient, getRpcTransport, loadConfig, Target } from '../../src/index.ts'
import { createLog, rejection } from '../rpc/scene.ts'

const unique = (): string => randomUUID().slice(0, 8)

describe('D15 secrets', () => {
  it('a transport never prints its password', async () => {
    const log = createLog()
    const secret = `s3cr3t${unique()}`
    await using bus = await getNotificationTransport(await loadConfig(), {
      url: `memory://u:${secret}@h/`,
      logger: log,
    })
    void getRpcClient(bus, new Target({ topic: 't' }))
    expect(inspect([bus, log.lines], { depth: 8, showHidden: true })).not.toContain(secret)
    expect(JSON.stringify([bus.url, log.lines, bus.health()])).not.toContain(secret)
  })
})

describe('bad input', () => {
  it('a configuration that is none is a TypeError that says where to get one', async () => {
    for (const conf of [undefined, null, 7, 'service.conf'] as unknown[])
      expect(await rejection(getRpcTransport(conf as Awaited<ReturnType<typeof loadConfig>>))).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('loadConfig'),
      })
  })
})
