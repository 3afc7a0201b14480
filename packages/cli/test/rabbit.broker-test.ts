import { randomUUID } from 'node:crypto'
import { type RabbitBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { afterAll, describe, expect, it } from 'vitest'
import { buryAndRedrive } from './support/poison.ts'
import { osloMsg } from './support/program.ts'
import { waitFor } from './support/wait-for.ts'

const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`

const broker = await skipOrFail(
  startBroker('rabbit', { plugins: ['rabbitmq_management'], config: { collect_statistics_interval: '200' } }),
)

describe.skipIf(broker === undefined)('oslo-msg on RabbitMQ', () => {
  if (broker === undefined) return
  afterAll(async () => await broker.close())
  redriveTests(broker)
  queueTests(broker)
})

function redriveTests(broker: RabbitBroker): void {
  it.each([
    ['classic', ''],
    ['quorum', '?rabbit_quorum_queue=true'],
  ])(
    'P09 - redrive returns a dead letter to its %s queue, and the mended endpoint handles it',
    async (_kind, query) => {
      const vhost = unique('redrive')
      await broker.control.vhost(vhost)
      const url = broker.urlFor({ vhost }) + query
      const topic = unique('meals')
      const queue = `${topic}.info`
      const depth = async () => (await broker.control.queue(`${queue}.dead`, vhost))?.messages
      await buryAndRedrive({
        driver: rabbitDriver,
        onFailure: { attempts: 3, backoff: 50, then: 'dead-letter' },
        url,
        topic,
        maxAttempts: 3,
        isBuried: async () => (await depth()) === 1,
        async redrive() {
          await expect(osloMsg(url, 'redrive', queue, '--dry-run')).resolves.toEqual({
            code: 0,
            stdout: 'Would move 1 dead letter of 1\n',
            stderr: '',
          })
          await expect(osloMsg(url, 'redrive', queue, '--json')).resolves.toMatchObject({
            code: 0,
            stdout: `${JSON.stringify({ moved: 1, left: 0, skipped: [] })}\n`,
          })
          await waitFor('an empty dead-letter queue', async () => (await depth()) === 0)
        },
      })
    },
  )

  it('P09 - an endpoint that still throws: the run ends, and the letter is buried again after as many attempts', async () => {
    const vhost = unique('circle')
    const url = await broker.control.vhost(vhost)
    const topic = unique('meals')
    const { bus, notifier } = await open(url, rabbitDriver, topic)
    let tries = 0
    const endpoint = {
      info: () => {
        tries += 1
        throw new RangeError('never')
      },
    }
    const onFailure = { attempts: 1, then: 'dead-letter' } as const
    const listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], { onFailure })
    await listener.start()
    for (const number of [1, 2, 3]) await notifier.info({}, 'e', number)
    const depth = async () => (await broker.control.queue(`${topic}.info.dead`, vhost))?.messages
    await waitFor('the dead letters', async () => (await depth()) === 3)
    await expect(osloMsg(url, 'redrive', `${topic}.info`, '--limit', '2')).resolves.toMatchObject({
      code: 0,
      stdout: 'Moved 2 dead letters; 1 left\n',
    })
    await waitFor('their second burial', async () => tries === 5 && (await depth()) === 3)
    await listener.stop()
    await listener.wait()
    await bus.close()
  })

  it('P09 - a letter without its origin, or whose queue is gone, stays and is counted; --to takes it where it is said, byte for byte', async () => {
    const vhost = unique('lost')
    const url = await broker.control.vhost(vhost)
    const depth = async (queue: string) => (await broker.control.queue(queue, vhost))?.messages
    const put = async (queue: string): Promise<unknown> =>
      await manage(broker, 'PUT', `queues/${vhost}/${queue}`, { durable: true })
    await put('q.dead')
    const bytes = Buffer.from([0, 0xff, 0x80, 10]).toString('base64')
    for (const headers of [
      { mine: 'kept' },
      { mine: 'kept', 'x-oslo-origin': 'gone', 'x-oslo-reason': 'why', 'x-oslo-attempts': '3' },
    ])
      await manage(broker, 'POST', `exchanges/${vhost}/amq.default/publish`, {
        properties: { headers, content_type: 'text/odd', delivery_mode: 2 },
        routing_key: 'q.dead',
        payload: bytes,
        payload_encoding: 'base64',
      })
    await waitFor('both', async () => (await depth('q.dead')) === 2)
    await expect(osloMsg(url, 'redrive', 'q')).resolves.toEqual({
      code: 0,
      stdout:
        'Moved 0 dead letters; 2 left\n' +
        'Skipped 1: it does not say which queue it came from: name one with --to\n' +
        'Skipped 1: there is no queue gone\n',
      stderr: '',
    })
    await waitFor('both back', async () => (await depth('q.dead')) === 2)
    await put('there')
    await expect(osloMsg(url, 'redrive', 'q.dead', '--to', 'there')).resolves.toMatchObject({
      stdout: 'Moved 2 dead letters; 0 left\n',
    })
    const moved = await manage(broker, 'POST', `queues/${vhost}/there/get`, {
      count: 10,
      ackmode: 'ack_requeue_false',
      encoding: 'base64',
    })
    const properties = { headers: { mine: 'kept' }, content_type: 'text/odd', delivery_mode: 2 }
    expect(moved).toEqual(
      [0, 1].map(
        () =>
          expect.objectContaining({
            payload: bytes,
            properties: expect.objectContaining(properties) as object,
          }) as object,
      ),
    )
  })

  it('a queue that is not there, or that is being read: one line and exit code 1', async () => {
    const vhost = unique('wrong')
    const url = await broker.control.vhost(vhost)
    const topic = unique('read')
    const { bus } = await open(url, rabbitDriver, topic)
    const listener = getNotificationListener(bus, [new Target({ topic })], [{ info: () => {} }])
    await listener.start()
    const missing = await osloMsg(url, 'redrive', 'nowhere')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toBe(
      'oslo-msg: There is no queue nowhere.dead and no queue nowhere: oslo-msg queues lists those of the virtual host\n',
    )
    const busy = await osloMsg(url, 'redrive', `${topic}.info`, '--to', 'elsewhere')
    expect(busy.code).toBe(1)
    expect(busy.stderr).toMatch(/has 1 consumers, so what is in it are no dead letters/)
    await listener.stop()
    await listener.wait()
    await bus.close()
  })
}

function queueTests(broker: RabbitBroker): void {
  it('P24 - a pool queue without consumer is listed with its byte size', async () => {
    const vhost = unique('orphans')
    const url = await broker.control.vhost(vhost)
    const topic = unique('events')
    const pool = unique('billing')
    const { bus, notifier } = await open(url, rabbitDriver, topic)
    const endpoint = { info: () => {} }
    const pooled = getNotificationListener(bus, [new Target({ topic })], [endpoint], { pool })
    const reading = getNotificationListener(bus, [new Target({ topic })], [endpoint])
    await pooled.start()
    await reading.start()
    await pooled.stop()
    await pooled.wait()
    for (let sent = 0; sent < 5; sent += 1) await notifier.info({}, 'e', 'x'.repeat(2000))
    const management = ['--management', broker.managementUrl ?? '']
    const orphans = async () => {
      const { stdout, code } = await osloMsg(url, 'queues', '--orphans', '--json', ...management)
      expect(code).toBe(0)
      const lines = stdout.split('\n').filter((line) => line !== '')
      return JSON.parse(`[${lines.join()}]`) as readonly {
        readonly name: string
        readonly messages: number
        readonly bytes: number
      }[]
    }
    await waitFor(
      'its size',
      async () => (await orphans()).some(({ name, bytes }) => name === pool && bytes > 10_000),
      20_000,
    )
    const [orphan, ...others] = await orphans()
    expect(others).toEqual([])
    expect(orphan).toMatchObject({ name: pool, messages: 5, consumers: 0, orphan: true })
    expect(orphan?.bytes).toBeLessThan(20_000)
    const table = await osloMsg(url, 'queues', '--orphans', '--fail', ...management)
    expect(table.code).toBe(3)
    expect(table.stdout).toMatch(
      new RegExp(
        `^${pool} +5  1\\d\\.\\d KiB +0  orphan: a pool nobody listens to: every notification of ${topic}.info is kept`,
        'm',
      ),
    )
    expect(table.stdout).toMatch(/1 orphan with 1\d\.\d KiB\n$/)
    await reading.stop()
    await reading.wait()
    await bus.close()
  })

  it('says what to do when the user may not ask, the address is wrong, or there is no such virtual host', async () => {
    const managementUrl = broker.managementUrl ?? ''
    const wrongUser = await osloMsg(
      broker.url.replace('guest:guest@', 'guest:wrong-secret@'),
      'queues',
      '--management',
      managementUrl,
    )
    expect(wrongUser.code).toBe(1)
    expect(wrongUser.stderr).toMatch(/refuses this user.*set_user_tags/)
    const [port = 0] = broker.ports
    const wrongPlace = await osloMsg(
      broker.url,
      'queues',
      '--management',
      `http://guest:other-secret@127.0.0.1:${port}`,
    )
    expect(wrongPlace.code).toBe(1)
    expect(wrongPlace.stderr).toMatch(/does not speak HTTP.*--management URL/)
    for (const { stderr } of [wrongUser, wrongPlace]) expect(stderr).not.toMatch(/secret|\n./)
    const noVhost = await osloMsg(broker.urlFor({ vhost: 'nowhere' }), 'queues', '--management', managementUrl)
    expect(noVhost.stderr).toMatch(/no virtual host nowhere/)
  })
}

/** The broker's own HTTP interface, to look from outside. */
async function manage(broker: RabbitBroker, method: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${broker.managementUrl}/api/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` },
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return text === '' ? undefined : JSON.parse(text)
}

async function open(url: string, driver: typeof rabbitDriver, topic: string) {
  const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
  const registry = createDriverRegistry({ drivers: [driver], discover: false })
  const bus = await getNotificationTransport(conf, { url, registry })
  return { bus, notifier: new Notifier(bus, { publisherId: 'p', topics: [topic] }) }
}
