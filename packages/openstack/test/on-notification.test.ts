import { getNotificationListener, getNotificationTransport, Notifier } from '@oslo-messaging/core'
import { createMemoryDriver } from '@oslo-messaging/core/testing'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  NOVA,
  onNotification,
  type OpenStackNotification,
  PayloadMismatch,
  readPayload,
  type NovaInstanceCreatePayload,
  UnknownObjectVersion,
  unwrapVersionedObjects,
} from '../src/index.ts'
import payloads from './vectors/nova-payloads.json' with { type: 'json' }

type Raw = Record<string, unknown>
const created = (): Raw => structuredClone(payloads.InstanceCreatePayload) as Raw
const dataOf = (raw: unknown): Raw => (raw as Raw)['nova_object.data'] as Raw

describe("payloads of nova's own classes", () => {
  const names = Object.keys(payloads)
  it('are in the catalogue, all of those that notifications carry', () => {
    expect(Object.keys(NOVA.objects).filter((name) => !names.includes(name))).toEqual([])
  })

  it.each(Object.keys(NOVA.objects))('%s is read as nova 34.0.0 writes it', (name) => {
    const raw = payloads[name as keyof typeof payloads]
    expect(readPayload(NOVA, name, raw)).toEqual(unwrapVersionedObjects(raw))
    expect(raw['nova_object.version']).toBe(NOVA.objects[name]?.version)
  })
})

describe('a payload that does not fit', () => {
  const read = (raw: unknown) => () => readPayload(NOVA, 'InstanceCreatePayload', raw)

  it('names the field that is missing, and keeps what came', () => {
    const raw = created()
    delete dataOf(raw)['uuid']
    expect(read(raw)).toThrow(
      expect.objectContaining({ field: 'payload.uuid', code: 'OSLO_MESSAGING_PAYLOAD_MISMATCH', raw }),
    )
  })

  it('names a field of another kind, deep inside, and does not print the payload', () => {
    const raw = created()
    dataOf(dataOf(raw)['flavor'])['vcpus'] = 'secret-text'
    expect(read(raw)).toThrow(expect.objectContaining({ field: 'payload.flavor.vcpus' }))
    try {
      read(raw)()
    } catch (error) {
      expect(inspect(error)).not.toContain('secret-text')
    }
  })

  it('of another major version says which versions', () => {
    const raw = { ...created(), 'nova_object.version': '2.0' }
    expect(read(raw)).toThrow(UnknownObjectVersion)
    expect(read(raw)).toThrow(expect.objectContaining({ objectName: 'InstanceCreatePayload', version: '2.0', raw }))
  })

  it('of a newer minor version keeps the new field; of an older one, what may be null is null', () => {
    const newer = created()
    newer['nova_object.version'] = '1.99'
    dataOf(newer)['mood'] = 'good'
    expect(read(newer)()).toMatchObject({ mood: 'good' })
    const older = created()
    older['nova_object.version'] = '1.0'
    delete dataOf(older)['trusted_image_certificates']
    expect(read(older)()).toMatchObject({ trusted_image_certificates: null })
    delete dataOf(older)['uuid']
    expect(read(older)).toThrow(expect.objectContaining({ field: 'payload.uuid' }))
  })

  it.each([null, 'text', [], {}, { 'nova_object.name': 'FlavorPayload' }])('is refused: %j', (raw) => {
    expect(read(raw)).toThrow(PayloadMismatch)
  })
})

describe('onNotification', () => {
  async function receive(send: (notifier: Notifier) => Promise<void>, handler = () => {}): Promise<Seen[]> {
    const driver = createMemoryDriver()
    const bus = await getNotificationTransport({ url: 'memory://', registry: { resolve: async () => driver } })
    const seen: Seen[] = []
    const listener = getNotificationListener(
      bus,
      [{ topic: 'versioned_notifications' }],
      [
        onNotification('instance.create.end', (payload, notification) => {
          seen.push({ payload, notification })
          handler()
        }),
      ],
      { onFailure: 'dead-letter' },
    )
    await listener.start()
    await send(new Notifier(bus, { driver: 'messagingv2', topics: ['versioned_notifications'], publisherId: 'nova' }))
    await bus.close()
    return seen
  }
  interface Seen {
    readonly payload: NovaInstanceCreatePayload
    readonly notification: OpenStackNotification<'instance.create.end'>
  }

  it('gives the payload with its type, the context, and what came', async () => {
    const [seen] = await receive((notifier) =>
      notifier.info({ request_id: 'req-1', user: 'u' }, 'instance.create.end', created()),
    )
    expect(seen?.payload.uuid).toBe(dataOf(created())['uuid'])
    expect(seen?.payload.flavor.vcpus).toBe(7)
    expect(seen?.notification).toMatchObject({ eventType: 'instance.create.end', publisherId: 'nova', raw: created() })
    expect(seen?.notification.context).toMatchObject({ requestId: 'req-1', userId: 'u' })
  })

  it('takes only its own event types, and each priority that OpenStack uses', async () => {
    const seen = await receive(async (notifier) => {
      await notifier.info(null, 'instance.create.end.of', created())
      await notifier.info(null, 'xinstance.create.end', created())
      await notifier.warn(null, 'instance.create.end', created())
      await notifier.error(null, 'instance.create.end', created())
    })
    expect(seen).toHaveLength(2)
  })

  it('does not call the handler for a payload that does not fit', async () => {
    expect(await receive((notifier) => notifier.info(null, 'instance.create.end', { uuid: 'x' }))).toEqual([])
  })

  it('refuses an event that no service of the catalogue sends', () => {
    // @ts-expect-error -- the compiler refuses it first
    expect(() => onNotification('instance.created', () => {})).toThrow('instance.created')
  })

  it('knows neutron, cinder, keystone and ironic', () => {
    const none = (): void => {}
    expect(() => [
      onNotification('port.create.end', ({ port }) => void port?.mac_address),
      onNotification(['volume.create.end', 'volume.delete.end'], ({ volume_id: id }) => void id.length),
      onNotification('identity.project.deleted', ({ resource_info: id }) => void id?.length),
      onNotification('baremetal.node.power_set.end', ({ uuid, to_power: to }) => void [uuid.length, to]),
      onNotification('identity.authenticate', none, { priorities: ['info'] }),
    ]).not.toThrow()
  })
})
