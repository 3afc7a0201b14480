import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  getBatchNotificationListener,
  getNotificationListener,
  type Interceptor,
  Notifier,
  Target,
  ValueError,
} from '../../src/index.ts'
import { busOf } from '../../src/driver.ts'
import { createScene, type Scene } from '../rpc/scene.ts'

const echo = {
  echo: (context: object, args: object, call: { readonly headers: object }) => ({
    context,
    args,
    headers: call.headers,
  }),
}

/** Writes down every operation, before and after. */
function watching(lines: string[], name = ''): Interceptor {
  const around =
    (kind: string) =>
    async <Result>(_operation: unknown, next: () => Promise<Result>): Promise<Result> => {
      lines.push(`${name}${kind} begins`)
      try {
        return await next()
      } finally {
        lines.push(`${name}${kind} ends`)
      }
    }
  return {
    call: around('call'),
    cast: around('cast'),
    notify: around('notify'),
    serve: around('serve'),
    listen: around('listen'),
  }
}

async function listening(scene: Scene, got: unknown[], handle: () => void = () => {}): Promise<string> {
  const topic = `n${randomUUID().slice(0, 8)}`
  const endpoint = {
    info(ctxt: object, _publisher: string | null, _type: string | null, payload: unknown): void {
      got.push({ ctxt, payload })
      handle()
    },
  }
  await getNotificationListener(scene.transport, [new Target({ topic })], [endpoint]).start()
  return topic
}

describe('interceptors', () => {
  it('see a call and its request, the first added outermost, and none after it was taken out', async () => {
    await using scene = await createScene()
    await scene.serve(echo)
    const lines: string[] = []
    scene.transport.use(watching(lines, 'a '))
    const remove = scene.transport.use(watching(lines, 'b '))
    await scene.client().call({}, 'echo', {})
    expect(lines).toEqual([
      'a call begins',
      'b call begins',
      'a serve begins',
      'b serve begins',
      'b serve ends',
      'a serve ends',
      'b call ends',
      'a call ends',
    ])
    remove()
    lines.length = 0
    await scene.client().call({}, 'echo', {})
    expect(lines.filter((line) => line.startsWith('b'))).toEqual([])
    expect(lines).toHaveLength(4)
  })

  it('see target, method, arguments, deadline and outcome, and change context and headers', async () => {
    await using scene = await createScene()
    await scene.serve(echo)
    const seen: unknown[] = []
    scene.transport.use({
      async call(operation, next) {
        operation.context = { ...operation.context, tenant: 't' }
        operation.headers['traceparent'] = '00-1'
        const result = await next()
        const { kind, driver, method, args, target } = operation
        seen.push({ kind, driver, method, args, topic: target.topic, timeoutMs: operation.deadline.timeoutMs, result })
        return result
      },
      async serve(operation, next) {
        const { kind, method, args, version, headers, remainingMs } = operation
        seen.push({ kind, method, args, version, headers, isTimed: Number(remainingMs) > 0 })
        operation.context = { ...operation.context, role: 'admin' }
        return await next()
      },
    })
    const result = await scene.client().call({ user: 'u' }, 'echo', { n: 1 }, { timeoutMs: 5000 })
    const context = { user: 'u', tenant: 't', role: 'admin' }
    expect(result).toEqual({ context, args: { n: 1 }, headers: { traceparent: '00-1' } })
    expect(seen).toEqual([
      {
        kind: 'serve',
        method: 'echo',
        args: { n: 1 },
        version: '1.0',
        headers: { traceparent: '00-1' },
        isTimed: true,
      },
      {
        kind: 'call',
        driver: 'memory',
        method: 'echo',
        args: { n: 1 },
        topic: scene.topic,
        timeoutMs: 5000,
        result,
      },
    ])
  })

  it('refuse a call before it is sent, and a request before its method runs', async () => {
    await using scene = await createScene()
    let ran = 0
    await scene.serve({ work: () => (ran += 1) })
    const remove = scene.transport.use({ call: () => Promise.reject(new TypeError('not today')) })
    await expect(scene.client().call({}, 'work')).rejects.toThrow('not today')
    expect(scene.recorder.events).toEqual([])
    remove()
    scene.transport.use({
      serve: async () => {
        throw new ValueError('forbidden')
      },
    })
    await expect(scene.client().call({}, 'work')).rejects.toThrow(ValueError)
    expect(ran).toBe(0)
  })

  it('see what a method raises as its client sees it', async () => {
    await using scene = await createScene()
    await scene.serve({
      work: () => {
        throw new ValueError('odd')
      },
    })
    const outcomes: unknown[] = []
    scene.transport.use({
      async call(_operation, next) {
        try {
          return await next()
        } catch (error) {
          outcomes.push(error)
          throw error
        }
      },
    })
    await expect(scene.client().call({}, 'work')).rejects.toThrow('odd')
    expect(outcomes).toMatchObject([{ name: 'ValueError', message: 'odd' }])
  })

  it('cast - may be sent with another context', async () => {
    await using scene = await createScene()
    const contexts: unknown[] = []
    await scene.serve({ note: (context: object) => void contexts.push(context) })
    scene.transport.use({
      async cast(operation, next) {
        operation.context = { tenant: 't' }
        await next()
      },
    })
    await scene.client().cast({}, 'note')
    await expect.poll(() => contexts).toEqual([{ tenant: 't' }])
  })

  it('notifications - see both sides, change the context, and refuse either', async () => {
    await using scene = await createScene()
    const got: unknown[] = []
    const topic = await listening(scene, got)
    const seen: unknown[] = []
    scene.transport.use({
      async notify(operation, next) {
        const { priority, eventType, payload, topics } = operation
        seen.push({ priority, eventType, payload, topics })
        operation.context = { request_id: 'r' }
        operation.headers['traceparent'] = '00-2'
        await next()
      },
      async listen(operation, next) {
        const [one] = operation.notifications
        seen.push({ priority: operation.priority, eventType: one?.eventType, headers: one?.delivery.headers })
        if (one !== undefined) one.ctxt = { ...one.ctxt, role: 'reader' }
        return await next()
      },
    })
    const notifier = new Notifier(scene.transport, { driver: 'messagingv2', topics: [topic] })
    await notifier.info({}, 'e.v', 'p')
    await expect.poll(() => got).toEqual([{ ctxt: { request_id: 'r', role: 'reader' }, payload: 'p' }])
    expect(seen).toEqual([
      { priority: 'info', eventType: 'e.v', payload: 'p', topics: [topic] },
      { priority: 'info', eventType: 'e.v', headers: { traceparent: '00-2' } },
    ])
    scene.transport.use({ notify: () => Promise.reject(new TypeError('not this one')) })
    await expect(notifier.info({}, 'e.v', 'p')).rejects.toThrow('not this one')
  })

  it('a listener whose interceptor refuses leaves the notification to its failure policy', async () => {
    await using scene = await createScene()
    const got: unknown[] = []
    const topic = `n${randomUUID().slice(0, 8)}`
    const endpoint = { info: (...all: unknown[]): void => void got.push(all[3]) }
    const onFailure = { attempts: 2, backoff: 1, then: 'discard' } as const
    await getNotificationListener(scene.transport, [new Target({ topic })], [endpoint], { onFailure }).start()
    let refusals = 0
    scene.transport.use({
      listen: async (_operation, next) => {
        refusals += 1
        if (refusals === 1) throw new Error('not yet')
        return await next()
      },
    })
    await new Notifier(scene.transport, { driver: 'messagingv2', topics: [topic] }).info({}, 'e', 'p')
    await expect.poll(() => got).toEqual(['p'])
    expect(refusals).toBe(2)
  })

  it('a batch - one operation with all its notifications', async () => {
    await using scene = await createScene()
    const topic = `n${randomUUID().slice(0, 8)}`
    const got: unknown[] = []
    const endpoint = {
      info: (batch: readonly { ctxt: object }[]): void => void got.push(batch.map(({ ctxt }) => ctxt)),
    }
    const options = { batchSize: 2 }
    await getBatchNotificationListener(scene.transport, [new Target({ topic })], [endpoint], options).start()
    scene.transport.use({
      async listen(operation, next) {
        for (const one of operation.notifications) one.ctxt = { seen: operation.notifications.length }
        return await next()
      },
    })
    const notifier = new Notifier(scene.transport, { driver: 'messagingv2', topics: [topic] })
    await Promise.all([notifier.info({}, 'e', 1), notifier.info({}, 'e', 2)])
    await expect.poll(() => got).toEqual([[{ seen: 2 }, { seen: 2 }]])
  })

  it.each([
    [null, 'use takes its options in an object'],
    [{ calls: async () => {} }, 'use has no option calls; did you mean call?'],
    [{ serve: true }, "The interceptor's serve must be a function, not a boolean"],
  ])('%j is no interceptor, and the text names what would do', async (interceptor, text) => {
    await using scene = await createScene()
    expect(() => scene.transport.use(interceptor as unknown as Interceptor)).toThrow(text)
  })

  it('tracing and metrics that are off add none: nothing is made for a call', async () => {
    await using scene = await createScene()
    const { call, cast, notify, serve, listen, settle } = busOf(scene.transport).interceptors
    expect([call, cast, notify, serve, listen, settle]).toEqual(Array.from({ length: 6 }))
    const remove = scene.transport.use(watching([]))
    expect(busOf(scene.transport).interceptors.call).toHaveLength(1)
    remove()
    expect(busOf(scene.transport).interceptors.call).toBeUndefined()
  })
})
