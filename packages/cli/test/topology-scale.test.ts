import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry } from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { amqpDriver } from '@oslo-messaging/amqp'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines } from './support/memory.ts'

const registry = createDriverRegistry({
  drivers: [rabbitDriver, amqpDriver, kafkaDriver, memoryDriver],
  discover: false,
})
const FOLDER = mkdtempSync(join(tmpdir(), 'cli-scale-'))

async function scale(text: string, env: Record<string, string> = {}, argv: readonly string[] = []) {
  const file = join(FOLDER, 'deployment.yaml')
  writeFileSync(file, text)
  let [out, err] = ['', '']
  const code = await run(['topology', '--deployment', file, ...argv], {
    registry,
    env: { OS_DEFAULT__TRANSPORT_URL: 'rabbit://u:s3cret@one/', ...env },
    out: (part) => (out += part),
    err: (part) => (err += part),
  })
  return { code, out, err }
}

const CLOUD = `
services:
  compute: { instances: 1000, server: [compute], client: [conductor], notify: [notifications], priorities: [info] }
  conductor: { instances: 10, processes: 8, server: [conductor], client: [compute] }
  collector: { instances: 2, listen: ['notifications:billing'], priorities: [info] }
`

describe('oslo-msg topology --deployment', () => {
  it('over RabbitMQ - connections, channels and queues of all processes together', async () => {
    const { code, out, err } = await scale(CLOUD, {}, ['--json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [bus, ...more] = jsonLines(out)
    expect(more).toEqual([])
    // Two for RPC and one for notifications of each compute; two of each conductor; one of each collector.
    expect(bus).toMatchObject({ driver: 'rabbit', connections: 1000 * 3 + 80 * 2 + 2 })
    // Topics and notifications once; a queue for each server name; for each process one of fanout and one of replies.
    expect(bus?.['queues']).toEqual({ shared: 4, perInstance: 1000 + 10, perProcess: 2 * 1080 })
  })

  it('in words - a row a service, the sums, and what they run into', async () => {
    const { out } = await scale(CLOUD.replace('1000', '20000'))
    expect(out).toMatch(/^\[DEFAULT\] over rabbit$/m)
    expect(out).toMatch(/^compute +20000 +60000 +\d+$/m)
    expect(out).toMatch(/^! 60162 connections need as many file descriptors/m)
    expect(out).toMatch(/^about [\d.]+ GiB of the broker's memory at rest$/m)
    expect(out).not.toContain('s3cret')
  })

  it('quorum queues - their memory is that of more than classic ones', async () => {
    const quorum = {
      OS_OSLO_MESSAGING_RABBIT__RABBIT_QUORUM_QUEUE: 'true',
      OS_OSLO_MESSAGING_RABBIT__RABBIT_TRANSIENT_QUORUM_QUEUE: 'true',
    }
    const bytesOf = async (env: Record<string, string>): Promise<unknown> =>
      jsonLines((await scale(CLOUD, env, ['--json'])).out)[0]?.['memoryBytes']
    const [classic, all] = [Number(await bytesOf({})), Number(await bytesOf(quorum))]
    const queues = 4 + 1010 + 2 * 1080
    expect(all - classic).toBe(queues * (51_700 - 30_000))
  })

  it('one stream for all fanout casts takes the queue of each process away', async () => {
    const env = {
      OS_OSLO_MESSAGING_RABBIT__RABBIT_STREAM_FANOUT: 'true',
      OS_OSLO_MESSAGING_RABBIT__RABBIT_QUORUM_QUEUE: 'true',
      OS_OSLO_MESSAGING_RABBIT__RABBIT_QOS_PREFETCH_COUNT: '10',
      OS_OSLO_MESSAGING_RABBIT__RABBIT_TRANSIENT_QUORUM_QUEUE: 'true',
    }
    const [bus] = jsonLines((await scale(CLOUD, env, ['--json'])).out)
    expect(bus?.['queues']).toMatchObject({ perProcess: 1080 })
    // Nobody has measured what a stream holds.
    expect(bus?.['memoryBytes']).toBeNull()
  })

  it('calls over AMQP 1.0 and notifications over Kafka - a bus each', async () => {
    const env = {
      OS_DEFAULT__TRANSPORT_URL: 'amqp://one/',
      OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: 'kafka://two/',
    }
    const buses = jsonLines((await scale(CLOUD, env, ['--json'])).out)
    expect(buses.map(({ driver, section }) => [driver, section])).toEqual([
      ['amqp', 'default'],
      ['kafka', 'notifications'],
    ])
    expect(buses[0]).toMatchObject({ connections: 1080, queues: null })
    expect(buses[1]).toMatchObject({ channels: null, queues: { shared: 1, perInstance: 0, perProcess: 0 } })
  })

  it.each([
    { text: 'services: [', says: 'Flow sequence' },
    { text: 'service: {}', says: 'needs "services"' },
    { text: 'services: { a: { instances: 0 } }', says: 'services.a.instances must be a whole number above 0' },
    { text: 'services: { a: { servers: [x] } }', says: 'services.a has no field servers; there are server, client' },
    { text: 'services: { a: { server: [1] } }', says: 'services.a.server must be a list of names' },
  ])('$text - one line that names the field, exit code 2', async ({ text, says }) => {
    const { code, out, err } = await scale(text)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(says)
    expect(err).toMatch(/^[^\n]*\n$/)
  })
})
