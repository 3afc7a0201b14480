import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { Test, type TestingModule } from '@nestjs/testing'
import {
  Messaging,
  MessagingTimeout,
  NoSuchMethod,
  type Notifier,
  type RPCClient,
  UnsupportedVersion,
  ValueError,
} from '@oslo-messaging/core'
import type { Faults, Recorder } from '@oslo-messaging/core/testing'
import { firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  clientProxyToken,
  notifierToken,
  type OsloClient,
  OsloHealthIndicator,
  OsloMessagingModule,
  OsloRecord,
  OsloServer,
  rpcClientToken,
} from '../../src/index.ts'
import { createOsloTestingModule } from '../../src/testing.ts'
import { AdminController, Events, type Stock, StockController } from './shop.ts'

/** The same application and the same modules, whichever version of Nest the file that calls this has. `load` loads that
 *  version. */
export function describeNest(version: string, load: NodeJS.Require): void {
  describe(`Nest ${version}`, () => {
    let app: Awaited<ReturnType<typeof open>>
    beforeEach(async () => {
      app = await open()
    })
    afterEach(async () => await app.close())

    it('is that version', () => {
      const common = load('@nestjs/common') as { Module: unknown }
      expect(common.Module).toBe(Module)
      const { version: found } = load('@nestjs/common/package.json') as { version: string }
      expect(found.split('.')[0]).toBe(version)
    })

    describe('methods', () => {
      it('get named arguments and the request context', async () => {
        expect(await app.stock.call({ user: 'ada' }, 'reserve', { item: 'bolt', count: 3 })).toEqual({
          left: 7,
          who: 'ada',
        })
      })

      it('are served under namespace, version and name of the decorators', async () => {
        const admin = app.any.prepare({ namespace: 'admin', version: '1.2' })
        expect(await admin.call(null, 'wipe', { all: true })).toEqual({ all: true })
        await expect(admin.call(null, 'clear', {})).rejects.toBeInstanceOf(NoSuchMethod)
        await expect(admin.prepare({ version: '2.0' }).call(null, 'wipe', {})).rejects.toBeInstanceOf(
          UnsupportedVersion,
        )
        expect(await admin.prepare({ namespace: null, version: '2.0' }).call(null, 'legacy', {})).toBe('no namespace')
      })

      it('know what is left of the time of the caller', async () => {
        const left = await app.stock.call(null, 'remaining', {}, { timeoutMs: 5000 })
        expect(left).toBeGreaterThan(0)
        expect(left).toBeLessThanOrEqual(5000)
      })

      it('a guard of the application refuses before the method runs', async () => {
        const refused = app.stock.call({ refused: 'yes' }, 'reserve', { item: 'bolt', count: 1 })
        await expect(refused).rejects.toMatchObject({
          excType: 'RpcException',
          value: 'Forbidden resource',
          delivery: 'confirmed',
        })
      })
    })

    describe('errors', () => {
      it('reach the caller as they were thrown, with their code', async () => {
        await expect(app.stock.call(null, 'fail', { as: 'value' })).rejects.toBeInstanceOf(ValueError)
        await expect(app.stock.call(null, 'fail', { as: 'code' })).rejects.toMatchObject({ code: 'ENOSPC' })
      })

      it('of the client say what is known of the request: promises and observables alike', async () => {
        app.faults.dropReply()
        const call = app.stock.call(null, 'reserve', { item: 'bolt', count: 1 }, { timeoutMs: 100 })
        await expect(call).rejects.toMatchObject({
          code: 'OSLO_MESSAGING_TIMEOUT',
          phase: 'reply',
          delivery: 'confirmed',
        })
        app.faults.dropReply()
        const record = new OsloRecord({ item: 'bolt', count: 1 }, { timeoutMs: 100 })
        const failure: unknown = await firstValueFrom(app.proxy.send('reserve', record)).catch(
          (error: unknown) => error,
        )
        expect(failure).toBeInstanceOf(MessagingTimeout)
        expect(failure).toMatchObject({ phase: 'reply', delivery: 'confirmed' })
        await expect(firstValueFrom(app.proxy.send('fail', { as: 'code' }))).rejects.toMatchObject({ code: 'ENOSPC' })
      })
    })

    describe('notifications', () => {
      it('reach the methods that want them, by event type and priority', async () => {
        await app.notifier.info({ user_id: 'ada' }, 'order.created', { id: 1 })
        await app.notifier.error(null, 'order.created', { id: 2 })
        await app.notifier.info(null, 'order.created.twice', { id: 3 })
        await app.notifier.warn(null, 'order.created', { id: 4 })
        await app.heard(2)
        expect(Events.heard).toEqual(
          expect.arrayContaining([
            { event: 'order.created', payload: { id: 1 }, user: 'ada', priority: 'info' },
            { event: 'order.created', payload: { id: 2 }, user: null, priority: 'error' },
          ]),
        )
      })

      it('are left to the failure policy when a method throws: nothing is lost', async () => {
        Events.failures = 2
        await app.notifier.info(null, 'flaky.done', { id: 5 })
        await app.heard(1)
        expect(Events.heard).toEqual([{ event: 'flaky', payload: { id: 5 }, user: null, priority: 'info' }])
      })
    })

    describe('the client in the style of Nest', () => {
      it('calls, casts and notifies, with a context', async () => {
        const record = new OsloRecord({ item: 'bolt', count: 4 }, { context: { user: 'ada' } })
        expect(await firstValueFrom(app.proxy.send('reserve', record))).toEqual({ left: 6, who: 'ada' })
        const pattern = { method: 'wipe', namespace: 'admin', version: '1.3' }
        expect(await firstValueFrom(app.proxy.send(pattern, { a: 1 }))).toEqual({ a: 1 })
        await firstValueFrom(app.proxy.emit(pattern, {}), { defaultValue: undefined })
        expect(app.recorder.ofType('cast')).toHaveLength(1)
        await firstValueFrom(app.proxy.emit('order.created', { id: 6 }), { defaultValue: undefined })
        await app.heard(1)
      })

      it('does nothing before somebody subscribes, and ends the call when nobody does any more', async () => {
        const begun = new Promise<void>((resolve) => (StockController.begun = resolve))
        const call = app.proxy.send('slow', { ms: 500 })
        expect(app.recorder.calls({ method: 'slow' })).toHaveLength(0)
        const seen: unknown[] = []
        const subscription = call.subscribe({ next: (value) => seen.push(value), error: (error) => seen.push(error) })
        await begun
        subscription.unsubscribe()
        const { rpc } = app.module.get(Messaging)
        const running = () => rpc.load.servers.reduce((sum, server) => sum + server.running, 0)
        // The call has ended, although its method has not.
        await expect.poll(() => [rpc.load.outstanding, running()]).toEqual([0, 1])
        await app.close()
        expect(seen).toEqual([])
      })
    })

    it('shuts down when what is being handled is answered, before anything is destroyed', async () => {
      const begun = new Promise<void>((resolve) => (StockController.begun = resolve))
      const call = app.stock.call(null, 'slow', { ms: 200 })
      await begun
      await app.close()
      expect(await call).toBe('done')
      expect(StockController.ended).toEqual(['call', 'onModuleDestroy'])
    })

    it('says how the buses are', async () => {
      const health = app.module.get(OsloHealthIndicator)
      expect(health.isHealthy('bus')).toEqual({ bus: { status: 'up', state: 'ok' } })
      await app.module.get(Messaging).ready({ timeoutMs: 1000 })
      await app.close()
      expect(health.isHealthy('bus')).toMatchObject({ bus: { status: 'down', state: 'closed' } })
    })

    it('takes its settings from other providers', async () => {
      const settings = { provide: 'settings', useValue: { url: 'memory://async' } }
      const imports = [{ module: Settings, providers: [settings], exports: [settings] }]
      const useFactory = ({ url }: { url: string }) => ({ url })
      const module = await Test.createTestingModule({
        imports: [OsloMessagingModule.forRootAsync({ imports, inject: ['settings'], useFactory })],
      }).compile()
      expect(module.get(Messaging).rpc.url.toString()).toContain('memory://async')
      await module.close()
    })

    it('a method without a topic stops the start, and is named', async () => {
      const { module } = createOsloTestingModule()
      const compiled = await Test.createTestingModule({ imports: [module], controllers: [StockController] }).compile()
      const broken = compiled.createNestMicroservice({ strategy: compiled.get(OsloServer) })
      await expect(broken.listen()).rejects.toThrow('has no topic')
      await compiled.get(Messaging).drain()
    })
  })
}

/** A module with nothing but what it is given. */
class Settings {
  readonly name = 'settings'
}

interface App {
  readonly module: TestingModule
  readonly recorder: Recorder
  readonly faults: Faults
  readonly stock: RPCClient<Stock>
  /** The same without types. */
  readonly any: RPCClient
  readonly proxy: OsloClient
  readonly notifier: Notifier
  heard(count: number): Promise<void>
  close(): Promise<void>
}

async function open(): Promise<App> {
  Events.heard = []
  Events.failures = 0
  Events.onHeard = undefined
  StockController.ended.length = 0
  StockController.begun = undefined
  const { module, recorder, faults } = createOsloTestingModule({
    server: {
      topic: 'stock',
      server: 'one',
      listener: { onFailure: { attempts: 5, backoff: { initialMs: 1 }, then: 'dead-letter' } },
    },
    clients: { stock: { topic: 'stock' } },
    notifiers: { default: { publisherId: 'shop.one' } },
  })
  const compiled = await Test.createTestingModule({
    imports: [module],
    controllers: [StockController, AdminController, Events],
    providers: [{ provide: APP_GUARD, useValue: { canActivate: isAllowed } }],
  }).compile()
  const service = compiled.createNestMicroservice({ strategy: compiled.get(OsloServer), logger: false })
  await service.listen()
  let closing: Promise<void> | undefined
  return {
    module: compiled,
    recorder,
    faults,
    stock: compiled.get(rpcClientToken('stock')),
    any: compiled.get(rpcClientToken('stock')),
    proxy: compiled.get(clientProxyToken('stock')),
    notifier: compiled.get(notifierToken()),
    heard: (count) =>
      new Promise((resolve) => {
        Events.onHeard = () => {
          if (Events.heard.length >= count) resolve()
        }
        Events.onHeard()
      }),
    close: async () => await (closing ??= service.close()),
  }
}

interface Execution {
  switchToRpc(): { getContext(): { getContext(): Readonly<Record<string, unknown>> } }
}

function isAllowed(execution: Execution): boolean {
  return execution.switchToRpc().getContext().getContext()['refused'] === undefined
}
