import { randomUUID } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import * as ours from '../src/index.ts'
import { createMemoryDriver } from '../src/testing.ts'

// What npm does when two packages want different releases: every class and every module state there is twice.
vi.resetModules()
const theirs: typeof ours = await import('../src/index.ts')

it('everything of one copy of the library works with the other', async () => {
  expect(theirs.Target).not.toBe(ours.Target)
  const registry = ours.createDriverRegistry({ drivers: [createMemoryDriver()], discover: false })
  const url = theirs.TransportURL.parse(`memory://u:secret@h/${randomUUID()}`)
  const conf = await theirs.loadConfig()
  await using transport = await ours.getRpcTransport(conf, { url, registry })
  expect(transport.url.equals(ours.TransportURL.parse(url))).toBe(true)
  expect(transport.url.hosts[0]?.password).toBe('secret')

  class Base {
    shared(): string {
      return 'shared'
    }
  }
  class Compute extends Base {
    readonly target = new theirs.Target({ namespace: 'vm', version: '1.1', legacyNamespaces: ['old'] })
    build(): never {
      throw new theirs.ValueError('no image')
    }
  }
  theirs.expose(Base)
  class Everything extends theirs.RPCAccessPolicyBase {
    isAllowed(): boolean {
      return true
    }
  }
  const target = new theirs.Target({ topic: 't', server: 's' })
  const server = ours.getRpcServer(transport, target, new Compute(), { accessPolicy: Everything })
  expect(server.methods.map(({ name, namespace }) => `${namespace} ${name}`)).toEqual([
    'vm build',
    'vm shared',
    'old build',
    'old shared',
  ])
  await server.start()
  const client = theirs.getRpcClient(transport, new ours.Target({ topic: 't', namespace: 'old', version: '1.0' }))
  expect(await client.call({}, 'shared')).toBe('shared')
  await expect(client.prepare({ namespace: 'vm' }).call({}, 'build')).rejects.toMatchObject({ name: 'ValueError' })
})

it('a filter of one copy works in a listener of the other', async () => {
  const registry = theirs.createDriverRegistry({ drivers: [createMemoryDriver()], discover: false })
  await using bus = await ours.getNotificationTransport({ url: 'memory://', registry })
  const seen: (string | null)[] = []
  const filterRule = new theirs.NotificationFilter({ eventType: 'wanted' })
  const targets = [new theirs.Target({ topic: 'notifications' })]
  const listener = ours.getNotificationListener(bus, targets, [
    { filterRule, info: (_context, _publisher, event) => void seen.push(event) },
  ])
  await listener.start()
  const notifier = new theirs.Notifier(bus, { driver: 'messagingv2' })
  await notifier.info({}, 'other', {})
  await notifier.info({}, 'wanted', {})
  await listener.stop()
  await listener.wait()
  expect(seen).toEqual(['wanted'])
})
