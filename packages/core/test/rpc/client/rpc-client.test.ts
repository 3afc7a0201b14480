import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidTarget, NoOpSerializer, RPCClient, RPCVersionCapError, Target } from '../../../src/index.ts'
import type { MessageContext } from '../../../src/driver/messages.ts'
import { createManualClock } from '../../../src/testing.ts'
import { createDeferred } from '../../../src/util/deferred.ts'
import { createScene, rejection, type Scene, thrownBy, turn } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

const echo = { echo: (_context: object, args: object) => args }

describe('RPC client', () => {
  it('C1 get_rpc_client - makes a client; making the class directly warns', () => {
    expect(scene.client()).toBeInstanceOf(RPCClient)
    expect(scene.log.lines).toEqual([])
    void new RPCClient(scene.transport, new Target({ topic: 't' }))
    expect(scene.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('getRpcClient') }])
  })

  it('C2 call - resolves to what the method returns', async () => {
    await scene.serve(echo)
    expect(await scene.client().call({ user_id: 'u' }, 'echo', { a: 1, b: [null, 'x'] })).toEqual({
      a: 1,
      b: [null, 'x'],
    })
  })

  it.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a promise of nothing', async () => {}],
  ])('C2 call - a method that returns %s gives null', async (_, method) => {
    await scene.serve({ method })
    expect(await scene.client().call({}, 'method')).toBeNull()
  })

  it('C2 call - the request on the wire has method, args, namespace and version in this order', async () => {
    await scene.serve({ target: new Target({ namespace: 'n', version: '1.3' }), go: () => 1 })
    await scene.client({}, { namespace: 'n', version: '1.2' }).call({ k: 'v' }, 'go', { x: 1 })
    const [sent] = scene.recorder.calls()
    expect(Object.keys(sent?.message ?? {})).toEqual(['method', 'args', 'namespace', 'version'])
    expect(sent).toMatchObject({ type: 'call', context: { k: 'v' }, message: { method: 'go', args: { x: 1 } } })
  })

  it('C2 call - without namespace, version and arguments only method and empty args are sent', async () => {
    await scene.serve({ go: () => 1 })
    await scene.client().call(null, 'go')
    expect(scene.recorder.calls()[0]).toMatchObject({ context: {}, message: { method: 'go', args: {} } })
    expect(Object.keys(scene.recorder.calls()[0]?.message ?? {})).toEqual(['method', 'args'])
  })

  it('C3 cast - resolves without a result once the broker has it', async () => {
    const ran = createDeferred<object>()
    await scene.serve({ go: (_context: object, args: object) => ran.resolve(args) })
    expect(await scene.client().cast({}, 'go', { a: 1 })).toBeUndefined()
    expect(await ran.promise).toEqual({ a: 1 })
    expect(scene.recorder.ofType('reply')).toEqual([])
  })

  it('C4 call on fanout - InvalidTarget before anything is sent', async () => {
    const client = scene.client({}, { fanout: true })
    expect(await rejection(client.call({}, 'echo'))).toBeInstanceOf(InvalidTarget)
    expect(scene.recorder.calls()).toEqual([])
  })

  it('C5 arguments - each value goes through the serializer, then the context; the result comes back through it', async () => {
    const order: string[] = []
    class Tracing extends NoOpSerializer {
      override async serializeEntity(_ctxt: object, entity: unknown): Promise<unknown> {
        order.push(`out ${String(entity)}`)
        return `<${String(entity)}>`
      }
      override serializeContext(ctxt: object): MessageContext {
        order.push('context')
        return { ...ctxt, traced: true }
      }
      override deserializeEntity(_ctxt: object, entity: unknown): unknown {
        order.push(`in ${String(entity)}`)
        return Promise.resolve(String(entity).toUpperCase())
      }
    }
    await scene.serve({
      join: (context: MessageContext, args: Record<string, string>) =>
        `${args['a']}${args['b']}${String(context['traced'])}`,
    })
    const client = scene.client({ serializer: new Tracing() })
    expect(await client.call({}, 'join', { a: 1, b: 2 })).toBe('<1><2>TRUE')
    expect(order).toEqual(['out 1', 'out 2', 'context', 'in <1><2>true'])
  })

  it('C6 prepare - replaces what is given, keeps what is left out, leaves the original alone', async () => {
    const base = scene.client(
      { timeoutMs: 100, versionCap: '2.5' },
      { exchange: 'e', namespace: 'n', version: '2.0', server: 's' },
    )
    const changed = base.prepare({ topic: 'other', version: '2.4', fanout: true, server: undefined })
    expect(String(changed.target)).toBe(
      '<Target exchange=e, topic=other, namespace=n, version=2.4, server=s, fanout=True>',
    )
    expect(String(base.target)).toBe(`<Target exchange=e, topic=${scene.topic}, namespace=n, version=2.0, server=s>`)
    expect(changed.canSendVersion('2.6')).toBe(false)
  })

  it('C6 prepare - null is a value, and it can be chained', () => {
    const base = scene.client({ versionCap: '1.0' }, { server: 's', namespace: 'n', version: '1.0' })
    const changed = base
      .prepare({ server: null, versionCap: null })
      .prepare({ namespace: null })
      .prepare({ version: '1.1' })
    expect(String(changed.target)).toBe(`<Target topic=${scene.topic}, version=1.1>`)
    expect(changed.canSendVersion('9.9')).toBe(true)
  })

  it('C6 timeouts - null is no limit, left out is the configured one, in every place', async () => {
    const clock = createManualClock()
    await using timed = await createScene({ clock, defaults: { rpc_response_timeout: 7 } })
    await timed.serve({ never: () => new Promise(() => {}) })
    const ends: string[] = []
    const watch = (name: string, call: Promise<unknown>): void =>
      void call.catch((error: unknown) => ends.push(`${name} ${String(error)}`))
    watch('client', timed.client({ timeoutMs: null }).call({}, 'never'))
    watch('prepared', timed.client({ timeoutMs: 100 }).prepare({ timeoutMs: null }).call({}, 'never'))
    watch('call', timed.client({ timeoutMs: 100 }).call({}, 'never', {}, { timeoutMs: null }))
    const failed = rejection(timed.client().call({}, 'never', {}, { timeoutMs: undefined }))
    await turn()
    await clock.advance(6999)
    await turn()
    await clock.advance(1)
    expect(await failed).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', timeoutMs: 7000 })
    await clock.advance(1_000_000)
    await turn()
    expect(ends).toEqual([])
  })

  it.each(['1', 'a.b', '', '1.x'])('C7 version check in prepare - refuses %j', (version) => {
    const error = thrownBy(() => scene.client().prepare({ version }))
    expect(error).toBeInstanceOf(InvalidTarget)
    expect(error).toMatchObject({
      message: expect.stringContaining(`Version must contain a major and minor integer. Got ${version}`),
    })
    expect(thrownBy(() => scene.client().prepare({ versionCap: version }))).toBeInstanceOf(InvalidTarget)
  })

  it.each([
    ['1.5', '1.6'],
    ['1.5', '2.0'],
    ['1.5', null],
  ])('C8 version cap - %s refuses %s before anything is sent', async (versionCap, version) => {
    const client = scene.client({ versionCap }, { version })
    for (const sent of [client.call({}, 'echo'), client.cast({}, 'echo')]) {
      const error = await rejection(sent)
      expect(error).toBeInstanceOf(RPCVersionCapError)
      expect(error).toMatchObject({ version, versionCap, delivery: 'not-sent' })
    }
    expect(scene.recorder.calls()).toEqual([])
  })

  it('C8 version cap - lets a lower version pass', async () => {
    await scene.serve({ target: new Target({ version: '1.5' }), ...echo })
    expect(await scene.client({ versionCap: '1.5' }, { version: '1.4' }).call({}, 'echo', { a: 1 })).toEqual({ a: 1 })
  })

  it('C9 can_send_version - of the target or of the one given', () => {
    const client = scene.client({ versionCap: '1.5' }, { version: '1.5' })
    expect([client.canSendVersion(), client.canSendVersion('1.6'), client.canSendVersion('1.2')]).toEqual([
      true,
      false,
      true,
    ])
    expect(scene.client({ versionCap: '1.5' }, { version: '1.6' }).canSendVersion()).toBe(false)
    expect(scene.client().canSendVersion('9.9')).toBe(true)
  })
})
