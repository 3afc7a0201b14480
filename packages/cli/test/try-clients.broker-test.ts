import { randomUUID } from 'node:crypto'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getBrokerAdmin,
  getNotificationListener,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
} from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines, memoryServer } from './support/memory.ts'
import { osloMsg } from './support/program.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))
const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver] })
const id = (): string => randomUUID().slice(0, 8)

/** Runs a command in this process, until `ready` says so and `during` is done. */
async function oslo(
  url: string,
  argv: readonly string[],
  during: () => Promise<void> = async () => {},
  ready = /Ctrl-C/,
) {
  let [out, err] = ['', '']
  const stop = new AbortController()
  let begun: Promise<void> | undefined
  const code = await run(argv, {
    registry,
    env: { OS_DEFAULT__TRANSPORT_URL: url },
    signal: stop.signal,
    out: (text) => (out += text),
    err: (text) => {
      err += text
      if (ready.test(err)) begun ??= during()
    },
  })
  await begun
  return { code, out, err }
}

describe.skipIf(rabbit === undefined)('oslo-msg on RabbitMQ', () => {
  if (rabbit === undefined) return

  it('ping - finds every server each time, however close their answers come', async () => {
    const url = await rabbit.vhost()
    const transport = await getRpcTransport(await loadConfig(), { url, registry })
    for (const server of ['a', 'b', 'c', 'd']) await memoryServer(transport, 'fleet', server, { work: () => 1 })
    const { code, out } = await oslo(url, ['ping', 'fleet', '--count', '8', '--wait', '0.25', '--json'])
    expect(code).toBe(0)
    expect(jsonLines(out).map(({ server }) => server)).toEqual(
      Array.from({ length: 8 }, () => ['1', '2', '3', '4']).flat(),
    )
    await transport.close()
  })

  it('listen - shows what comes, and its pool is gone afterwards', async () => {
    const url = await rabbit.vhost()
    const topic = `t-${id()}`
    const { code, out, err } = await oslo(url, ['listen', topic, '--count', '1', '--json'], async () => {
      await oslo(url, ['notify', 'instance.create', 'id=7', '--topic', topic])
    })
    expect(code).toBe(0)
    expect(jsonLines(out)).toMatchObject([{ event_type: 'instance.create', payload: { id: '7' }, priority: 'info' }])
    const admin = await getBrokerAdmin(await loadConfig(), { url, registry })
    const pool = /in the pool (\S+), which goes/.exec(err)?.[1] ?? ''
    expect(pool).toMatch(/^oslo-msg-/)
    expect(await admin.removePool(pool)).toBe(false)
    await admin.close()
  })

  it('listen --pool --remove - takes that pool away with what it holds; without --remove it stays', async () => {
    const url = await rabbit.vhost()
    const [topic, pool] = [`t-${id()}`, `billing-${id()}`]
    const notify = async (): Promise<void> => void (await oslo(url, ['notify', 'e', '--topic', topic]))
    const listen = ['listen', topic, '--pool', pool, '--count', '1', '--json']
    const kept = await oslo(url, listen, notify)
    expect(kept.err).toContain(`in the pool ${pool}; Ctrl-C ends`)
    // Kept for the pool while nobody listens.
    await notify()
    await notify()
    const removed = await oslo(url, [...listen, '--remove'])
    expect(removed.err).toContain(`in the pool ${pool}, which goes when this ends; Ctrl-C ends`)
    for (const { code, out } of [kept, removed]) {
      expect(code).toBe(0)
      expect(jsonLines(out)).toMatchObject([{ event_type: 'e' }])
    }
    const admin = await getBrokerAdmin(await loadConfig(), { url, registry })
    expect(await admin.removePool(pool)).toBe(false)
    await admin.close()
  })

  it('listen --pool --remove while a service reads the pool - shows, leaves it, and says so', async () => {
    const url = await rabbit.vhost()
    const [topic, pool] = [`t-${id()}`, `billing-${id()}`]
    const bus = await getNotificationTransport(await loadConfig(), { url, registry })
    const service = getNotificationListener(bus, [{ topic }], [{ info: () => {} }], { pool })
    await service.start()
    const { code, err } = await oslo(url, ['listen', topic, '--pool', pool, '--remove', '--for', '0.5'])
    expect(code).toBe(0)
    expect(err).toMatch(/The pool \S+ could not be removed and has to be by hand: .* is being read by 1/)
    await service.stop()
    await service.wait()
    await bus.close()
  })

  it('removePool - refuses while somebody listens, and says false where there is none', async () => {
    const url = await rabbit.vhost()
    const bus = await getNotificationTransport(await loadConfig(), { url, registry })
    const listener = getNotificationListener(bus, [{ topic: 't' }], [{ info: () => {} }], { pool: 'p' })
    await listener.start()
    const admin = await getBrokerAdmin(await loadConfig(), { url, registry })
    await expect(admin.removePool('p')).rejects.toThrow('The pool p is being read by 1: stop its listeners first')
    await listener.stop()
    await listener.wait()
    await expect(admin.removePool('p')).resolves.toBe(true)
    await expect(admin.removePool('p')).resolves.toBe(false)
    await admin.close()
    await bus.close()
  })

  it('a broker that refuses the connection or the password - one line, exit code 1, in time', async () => {
    const refused = await osloMsg('rabbit://guest:secret@127.0.0.1:1/', 'call', 'a', 'b', '--timeout', '1')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/^oslo-msg: No connection to the broker within 1000 ms: [^\n]*ECONNREFUSED[^\n]*\n$/)
    const url = (await rabbit.vhost()).replace(/\/\/[^@]*@/, '//nobody:secret@')
    const unknown = await osloMsg(url, 'cast', 'a', 'b', '--timeout', '5')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(/^oslo-msg: [^\n]*\n$/)
    expect(refused.stderr + unknown.stderr).not.toContain('secret')
  })
})

describe.skipIf(kafka === undefined)('oslo-msg on Kafka', () => {
  if (kafka === undefined) return

  it('listen - shows what comes, and the group of its pool is forgotten', async () => {
    const topic = `t-${id()}`
    await kafka.createTopics(
      ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'].map((each) => `${topic}.${each}`),
    )
    const { code, out, err } = await oslo(kafka.url, ['listen', topic, '--count', '1', '--json'], async () => {
      await oslo(kafka.url, ['notify', 'instance.create', 'id=7', '--topic', topic])
    })
    expect(code).toBe(0)
    expect(jsonLines(out)).toMatchObject([{ event_type: 'instance.create', priority: 'info' }])
    const admin = await getBrokerAdmin(await loadConfig(), { url: kafka.url, registry })
    expect(await admin.removePool(/in the pool ([^, ]+)/.exec(err)?.[1] ?? '')).toBe(false)
    await admin.close()
  })

  it('listen --pool --remove - the group of that pool is forgotten', async () => {
    const [topic, pool] = [`t-${id()}`, `billing-${id()}`]
    await kafka.createTopics([`${topic}.info`])
    const listen = ['listen', topic, '--priority', 'info', '--pool', pool, '--remove', '--count', '1', '--json']
    const { code, out } = await oslo(kafka.url, listen, async () => {
      await oslo(kafka.url, ['notify', 'e', '--topic', topic])
    })
    expect(code).toBe(0)
    expect(jsonLines(out)).toMatchObject([{ event_type: 'e' }])
    const admin = await getBrokerAdmin(await loadConfig(), { url: kafka.url, registry })
    expect(await admin.removePool(pool)).toBe(false)
    await admin.close()
  })

  it('a call - says that Kafka cannot, and what can', async () => {
    const { code, err } = await oslo(kafka.url, ['call', 'a', 'b'])
    expect(code).toBe(1)
    expect(err).toMatch(/^oslo-msg: kafka is notify-only[^\n]*\n$/)
  })
})
