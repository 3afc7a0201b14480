import { describe, expect, it } from 'vitest'
import { Notifier } from '../../src/notify/notifier.ts'
import { type ContextRedaction, redactContext } from '../../src/notify/redact-context.ts'
import { loadVector } from '../vectors.ts'
import { createFakeBus } from './fake-bus.ts'

class RequestContext {
  readonly user_id = 'u1'
  readonly auth_token = 'secret'
  readonly quota_class = 'gold'
  redactedCopy(): object {
    return { user_id: this.user_id, quota_class: this.quota_class }
  }
}

class OldContext {
  toDict(): object {
    return { user_id: 'u1', auth_token: 'secret', custom: 1 }
  }
}

const simple = { user_id: 'u1', project_id: 'p1', auth_token: 'secret', custom: 1 }

describe('N9 context redaction', () => {
  const rows: readonly [redaction: ContextRedaction, name: string, ctxt: object | null, sent: object][] = [
    ['copy-or-known-keys', 'no context', null, {}],
    ['copy-or-known-keys', 'a simple object', simple, { user_id: 'u1', project_id: 'p1' }],
    ['copy-or-known-keys', 'redactedCopy', new RequestContext(), { user_id: 'u1', quota_class: 'gold' }],
    ['copy-or-known-keys', 'toDict', new OldContext(), { user_id: 'u1' }],
    ['copy-or-nothing', 'no context', null, {}],
    ['copy-or-nothing', 'a simple object', simple, {}],
    ['copy-or-nothing', 'redactedCopy', new RequestContext(), { user_id: 'u1', quota_class: 'gold' }],
    ['copy-or-nothing', 'toDict', new OldContext(), {}],
    ['known-keys', 'no context', null, {}],
    ['known-keys', 'a simple object', simple, { user_id: 'u1', project_id: 'p1' }],
    ['known-keys', 'redactedCopy', new RequestContext(), { user_id: 'u1' }],
    ['known-keys', 'toDict', new OldContext(), { user_id: 'u1' }],
  ]
  it.each(rows)('%s - %s', (redaction, _name, ctxt, sent) => {
    expect(redactContext(ctxt, redaction)).toEqual(sent)
  })

  it('keeps who, where and which request, in the order given', () => {
    const ctxt = {
      request_id: 'r',
      roles: ['admin'],
      is_admin: true,
      service_user_id: 's',
      system_scope: 'all',
      user: 'u',
    }
    expect(Object.keys(redactContext({ ...ctxt, service_token: 'x' }, 'copy-or-known-keys'))).toEqual(Object.keys(ctxt))
  })

  // The captures: what 14.0.3 and later releases put on the wire for the same call.
  const captures: readonly [vector: string, redaction: ContextRedaction][] = [
    ['kafka-notify-v2-dict-context', 'known-keys'],
    ['kafka-notify-v2-dict-context', 'copy-or-known-keys'],
    ['kafka-notify-v2-dict-context-head', 'copy-or-nothing'],
    ['rabbit-notify-v2-dict-context', 'known-keys'],
    ['rabbit-notify-v2-dict-context-head', 'copy-or-nothing'],
  ]
  it.each(captures)('sends the context of %s with %s', async (name, redaction) => {
    const { api, message } = capture(name)
    const bus = await createFakeBus()
    const notifier = new Notifier(bus.transport, {
      driver: 'messagingv2',
      publisherId: api.publisher_id,
      topics: api.topics,
      contextRedaction: redaction,
    })
    await notifier.info(api.ctxt, api.event_type, api.payload)
    const { target, notification } = bus.sent[0] ?? expect.fail('nothing was sent')
    expect(notification.context).toEqual(contextOf(message))
    expect(Object.keys(notification.message)).toEqual(Object.keys(message).filter((key) => !key.startsWith('_')))
    expect(notification.message).toMatchObject({
      publisher_id: message['publisher_id'],
      event_type: message['event_type'],
      priority: message['priority'],
      payload: message['payload'],
    })
    expect(target.topic).toBe(`${api.topics[0]}.info`)
  })
})

interface Capture {
  readonly api: {
    readonly publisher_id: string
    readonly topics: readonly string[]
    readonly ctxt: object
    readonly event_type: string
    readonly payload: unknown
  }
  readonly normalized: readonly {
    readonly parsed?: { readonly message?: Readonly<Record<string, unknown>> }
    readonly record?: unknown
  }[]
}

function capture(name: string): { api: Capture['api']; message: Readonly<Record<string, unknown>> } {
  const { api, normalized } = loadVector(name) as Capture
  const message = normalized.map((step) => step.parsed?.message).find((found) => found !== undefined)
  return { api, message: message ?? expect.fail(`${name} holds no message`) }
}

/** Rabbit spreads the context over the message, Kafka keeps it in one field. */
function contextOf(message: Readonly<Record<string, unknown>>): unknown {
  if ('_context' in message) return message['_context']
  const prefix = '_context_'
  return Object.fromEntries(
    Object.entries(message)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  )
}
