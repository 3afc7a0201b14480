import { getDriverRegistry, getRpcClient, getRpcServer, getRpcTransport } from '@oslo-messaging/core'
import { createDeferred } from '@oslo-messaging/core/driver'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRabbitDriver } from '../../src/index.ts'
import { rabbit, unique } from '../support/broker.ts'

const broker = await rabbit()

// A virtual host of its own: what is declared here must not meet what other files declare.
const url = (await broker?.vhost()) ?? ''

describe.skipIf(broker === undefined)('a request that no queue takes', () => {
  if (broker === undefined) return

  async function open() {
    const registry = getDriverRegistry({ drivers: [createRabbitDriver()], discover: false })
    const transport = await getRpcTransport({ url, registry })
    onTestFinished(async () => {
      await transport.close()
    })
    return transport
  }

  it('a timeout of a call to the wrong exchange names exchange, topic and server, and does not say confirmed', async () => {
    const transport = await open()
    const topic = unique('unroutable')
    const server = getRpcServer(transport, { exchange: 'cinder', topic, server: 'one' }, { go: () => 1 })
    await server.start()
    const client = getRpcClient(transport, { exchange: 'nova', topic, server: 'one' }, { timeoutMs: 1000 })
    // First, so that the connection is there: its own time is no part of the question.
    expect(await client.prepare({ exchange: 'cinder', timeoutMs: 20_000 }).call({}, 'go')).toBe(1)
    await expect(client.call({}, 'go')).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
      delivery: 'not-sent',
      message: `No reply to a request that no queue took within 1000 ms (go of <Target exchange=nova, topic=${topic}, server=one>)`,
    })
  })

  it('a monitored call that nobody can answer is not said to have lost its server with the request', async () => {
    const transport = await open()
    const target = { topic: unique('unroutable'), server: 'one' }
    const client = getRpcClient(transport, target, { timeoutMs: 10_000, callMonitorTimeoutMs: 2000 })
    await expect(client.call({}, 'go')).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_SERVER_LOST',
      delivery: 'not-sent',
    })
  })

  it('a call to a server that comes a moment later is answered, once', async () => {
    const transport = await open()
    const target = { topic: unique('late'), server: 'one' }
    const ran: number[] = []
    const called = getRpcClient(transport, target, { timeoutMs: 30_000 }).call({}, 'go', { n: 1 })
    // The first attempt has come back when a second call, sent after it, has.
    await expect(getRpcClient(transport, target, { timeoutMs: 300 }).call({}, 'go', { n: 2 })).rejects.toMatchObject({
      delivery: 'not-sent',
    })
    const server = getRpcServer(transport, target, { go: (_context: object, { n }: { n: number }) => ran.push(n) })
    await server.start()
    expect(await called).toBe(1)
    expect(ran).toEqual([1])
  })

  it('a call that may be tried once is not sent again', async () => {
    const transport = await open()
    const target = { topic: unique('late'), server: 'one' }
    const ran: number[] = []
    const called = getRpcClient(transport, target, { timeoutMs: 3000, retry: 0 }).call({}, 'go', {})
    await expect(getRpcClient(transport, target, { timeoutMs: 300 }).call({}, 'go')).rejects.toThrow('no queue took')
    const server = getRpcServer(transport, target, { go: () => ran.push(1) })
    await server.start()
    await expect(called).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'not-sent' })
    expect(ran).toEqual([])
  })

  it('a call that a queue took says confirmed, although nobody answers', async () => {
    const transport = await open()
    const target = { topic: unique('silent'), server: 'one' }
    const gate = createDeferred<void>()
    const server = getRpcServer(transport, target, { go: () => gate.promise })
    await server.start()
    await expect(getRpcClient(transport, target, { timeoutMs: 300 }).call({}, 'go')).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'reply',
      delivery: 'confirmed',
    })
    gate.resolve()
  })
})
