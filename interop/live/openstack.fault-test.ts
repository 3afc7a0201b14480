import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  getNotificationListener,
  getRpcClient,
  MessagingTimeout,
  type NotificationTransport,
  RemoteError,
} from '@oslo-messaging/core'
import {
  makeVersionedObject,
  onNotification,
  openstackTarget,
  type NovaServiceStatusPayload,
  readVersionedObject,
  RequestContext,
  RequestContextSerializer,
  unwrapVersionedObjects,
} from '@oslo-messaging/openstack'
import { afterAll, describe, expect, it } from 'vitest'

import { Inbox } from '../test/support/inbox.ts'
import { openBus, openRpc } from '../test/support/ours.ts'
import { OpenStackService, openstackPrograms } from './openstack/services.ts'

const programs = await skipOrFail(openstackPrograms())
const broker = await skipOrFail(startBroker('rabbit'))
afterAll(() => broker?.close())

const serializer = new RequestContextSerializer()
const context = new RequestContext({
  userId: 'ada',
  projectId: 'engines',
  userName: 'Ada',
  roles: ['admin'],
  isAdmin: true,
})

/** What nova-conductor serves, of what is called here; objects travel in their wire form. */
interface Conductor {
  object_class_action_versions(args: {
    objname: string
    objmethod: string
    object_versions: Record<string, string>
    args: unknown[]
    kwargs: Record<string, unknown>
  }): Record<string, unknown>
  object_action(args: {
    objinst: unknown
    objmethod: string
    args: unknown[]
    kwargs: Record<string, unknown>
  }): [Record<string, unknown>, unknown]
}

interface BaseApi {
  ping(args: { arg: string }): { service: string; arg: string }
}

interface Scheduler {
  get_log_levels(args: { log_request: unknown }): Record<string, unknown>
}

/** Calls until the service, which needs seconds to start, answers. */
async function onceUp<T>(call: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + 90_000
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof MessagingTimeout) || performance.now() > endsAt) throw error
    }
  }
}

interface ServiceNotification {
  readonly event: string
  readonly payload: NovaServiceStatusPayload
  readonly context: RequestContext
}

/** What nova says of its services. */
async function listenToServices(bus: NotificationTransport): Promise<Inbox<ServiceNotification>> {
  const inbox = new Inbox<ServiceNotification>()
  const endpoint = onNotification(['service.create', 'service.update'], (payload, { eventType, context: from }) => {
    inbox.add({ event: eventType, payload, context: from })
  })
  const targets = [{ exchange: 'nova', topic: 'versioned_notifications' }]
  await getNotificationListener(bus, targets, [endpoint], { serializer }).start()
  return inbox
}

describe.skipIf(programs === undefined || broker === undefined)('the real OpenStack, without Keystone', () => {
  it('nova-conductor: contexts and versioned objects both ways, and typed notifications', async () => {
    const url = broker?.url ?? ''
    const bus = await openBus(url)
    const transport = await openRpc(url)
    const heard = await listenToServices(bus)
    await using _nova = await OpenStackService.start({
      programs: programs ?? '',
      program: 'nova-conductor',
      manager: 'nova-manage',
      manage: [
        ['api_db', 'sync'],
        ['db', 'sync', '--local_cell'],
      ],
      // Placement is asked once, by the address alone; that nobody answers there is logged and borne.
      settings: [
        `[DEFAULT]\ntransport_url = ${url}`,
        '[conductor]\nworkers = 1',
        '[notifications]\nnotification_format = versioned',
        '[oslo_messaging_notifications]\ndriver = messagingv2',
        '[placement]\nauth_type = none\nendpoint_override = http://127.0.0.1:9/v1.0\n',
      ].join('\n'),
    })

    // It says that it has come.
    const [created] = await heard.atLeast(1, undefined, 60_000)
    expect(created).toMatchObject({ event: 'service.create', payload: { binary: 'nova-conductor', host: 'node1' } })

    const target = openstackTarget('nova', 'conductor')
    const base = { ...target, namespace: 'baseapi', version: '1.0' }
    const ping = getRpcClient<BaseApi>(transport, base, { serializer, timeoutMs: 5000 })
    expect(await onceUp(() => ping.call(context, 'ping', { arg: 'hello' }))).toEqual({
      service: 'conductor',
      arg: 'hello',
    })

    // An object from nova.
    const conductor = getRpcClient<Conductor>(transport, target, { serializer, timeoutMs: 20_000 })
    const list = await conductor.call(context, 'object_class_action_versions', {
      objname: 'ServiceList',
      objmethod: 'get_all',
      object_versions: { ServiceList: '1.19', Service: '1.22' },
      args: [],
      kwargs: {},
    })
    expect(readVersionedObject(list)).toMatchObject({ prefix: 'nova_object', name: 'ServiceList', version: '1.19' })
    expect(unwrapVersionedObjects(list)).toMatchObject({ objects: [{ binary: 'nova-conductor', disabled: false }] })

    // The same object back to nova, changed.
    const { objects } = readVersionedObject(list).data as { objects: unknown[] }
    const service = readVersionedObject(objects[0])
    const disabled = makeVersionedObject({
      ...service,
      data: { ...service.data, disabled: true, disabled_reason: 'from Node' },
      changes: ['disabled', 'disabled_reason'],
    })
    await conductor.call(context, 'object_action', { objinst: disabled, objmethod: 'save', args: [], kwargs: {} })
    const [, updated] = await heard.atLeast(2)
    expect(updated).toMatchObject({
      event: 'service.update',
      payload: { disabled: true, disabled_reason: 'from Node' },
      context: { requestId: context.requestId, userId: 'ada', projectId: 'engines', userName: 'Ada' },
    })

    // What nova does not know.
    const unknown = conductor.call(context, 'object_class_action_versions', {
      objname: 'Spaceship',
      objmethod: 'get_all',
      object_versions: { Spaceship: '1.0' },
      args: [],
      kwargs: {},
    })
    const failure: unknown = await unknown.catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RemoteError)
    expect(failure).toMatchObject({ excType: 'UnsupportedObjectError', delivery: 'confirmed' })
    await transport.close()
    await bus.close()
  })

  it('cinder-scheduler: a versioned object there and a list of them back', async () => {
    const url = broker?.url ?? ''
    const transport = await openRpc(url)
    await using _cinder = await OpenStackService.start({
      programs: programs ?? '',
      program: 'cinder-scheduler',
      manager: 'cinder-manage',
      manage: [['db', 'sync']],
      settings: `[DEFAULT]\ntransport_url = ${url}\n`,
    })
    const target = openstackTarget('cinder', 'scheduler')
    const scheduler = getRpcClient<Scheduler>(transport, target, { serializer, timeoutMs: 5000 })
    const asked = makeVersionedObject({
      name: 'LogLevel',
      namespace: 'cinder',
      version: '1.0',
      data: { prefix: 'cinder.scheduler.manager', level: null },
    })
    const levels = await onceUp(() => scheduler.call(context, 'get_log_levels', { log_request: asked }))
    expect(readVersionedObject(levels)).toMatchObject({ prefix: 'versioned_object', name: 'LogLevelList' })
    expect(unwrapVersionedObjects(levels)).toEqual({
      objects: [{ prefix: 'cinder.scheduler.manager', level: expect.stringMatching(/^[A-Z]+$/) }],
    })
    await transport.close()
  })
})
