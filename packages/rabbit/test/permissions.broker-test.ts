import { readFileSync } from 'node:fs'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  Notifier,
} from '@oslo-messaging/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rabbitDriver } from '../src/index.ts'
import { rabbit, unique } from './support/broker.ts'

const page = readFileSync(new URL('../../../docs/operations/security.md', import.meta.url), 'utf8')

/** The patterns of a role as the page has them: configure, write, read. */
function patternsOf(role: string, topic: string): { configure: string; write: string; read: string } {
  const row = page.split('\n').find((line) => line.startsWith(`| ${role} |`))
  const [configure = '', write = '', read = ''] = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(([, pattern = '']) =>
    pattern.replaceAll('TOPIC', topic).replaceAll('\\|', '|'),
  )
  return { configure, write, read }
}

const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
const broker = await rabbit()

describe.skipIf(broker === undefined)('the least rights of each role, as docs/operations/security.md has them', () => {
  /** A URL of a user who may do what the page allows its role, in a virtual host that is empty but for it. */
  async function login(role: string, topic: string, vhost: string): Promise<string> {
    if (broker === undefined) throw new Error('There is no broker')
    const user = unique('user')
    await broker.control.addUser(user, 'secret', { vhost, ...patternsOf(role, topic) })
    onTestFinished(() => broker.control.deleteUser(user))
    return broker.urlFor({ vhost, user, password: 'secret' })
  }
  async function place(): Promise<{ vhost: string; topic: string }> {
    const vhost = unique('v')
    await broker?.vhost(vhost)
    onTestFinished(() => broker?.control.deleteVhost(vhost))
    return { vhost, topic: unique('topic') }
  }

  it('a client calls, casts and fans out to a server; neither may do the other part', async () => {
    const { vhost, topic } = await place()
    const serving = await getRpcTransport({ url: await login('RPC server', topic, vhost), registry })
    const calling = await getRpcTransport({ url: await login('RPC client', topic, vhost), registry })
    const seen: string[] = []
    const server = getRpcServer<{ echo(args: { text: string }): string; note(args: { text: string }): void }>(
      serving,
      { topic, server: 'node1' },
      { echo: (_context, { text }) => text, note: (_context, { text }) => void seen.push(text) },
    )
    await server.start()
    const client = getRpcClient(calling, { topic })
    expect(await client.call({}, 'echo', { text: 'hello' }, { timeoutMs: 10_000 })).toBe('hello')
    await client.cast({}, 'note', { text: 'one' })
    await client.prepare({ fanout: true }).cast({}, 'note', { text: 'all' })
    await expect.poll(() => seen.toSorted()).toEqual(['all', 'one'])
    const intruder = getRpcServer(calling, { topic, server: 'node2' }, { echo: () => 'mine' })
    await expect(intruder.start()).rejects.toMatchObject({ cause: { code: 'OSLO_MESSAGING_AUTHENTICATION' } })
    await calling.close()
    await serving.close()
  })

  it('a notifier notifies a listener; neither may do the other part', async () => {
    const { vhost, topic } = await place()
    const sending = await getNotificationTransport({ url: await login('notifier', topic, vhost), registry })
    const reading = await getNotificationTransport({ url: await login('listener', topic, vhost), registry })
    const seen: unknown[] = []
    const listener = getNotificationListener(
      reading,
      [{ topic }],
      [{ info: (_context, _publisher, event) => void seen.push(event) }],
    )
    await listener.start()
    const options = { publisherId: 'tests', driver: 'messagingv2', topics: [topic] }
    await new Notifier(sending, options).info({}, 'created', {})
    await expect.poll(() => seen).toEqual(['created'])
    const intruder = getNotificationListener(sending, [{ topic }], [{ info: () => {} }])
    await expect(intruder.start()).rejects.toMatchObject({ cause: { code: 'OSLO_MESSAGING_AUTHENTICATION' } })
    await sending.close()
    await reading.close()
  })
})
