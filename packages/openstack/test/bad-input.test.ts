import {
  getBrokerAdmin,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  Notifier,
  NotificationResult,
} from '@oslo-messaging/core'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  CINDER,
  IRONIC,
  KEYSTONE,
  NEUTRON,
  NOVA,
  onNotification,
  type OpenStackEvent,
  PayloadMismatch,
  readPayload,
  type ServiceFacts,
  UnknownObjectVersion,
} from '../src/index.ts'
import { fieldsOf } from '../src/facts/kinds.ts'

type Fields = Record<string, unknown>

/** A value of that kind, as the service would write it. */
function valueOf(facts: ServiceFacts, kind: string): unknown {
  if (kind.startsWith('~')) return valueOf(facts, kind.slice(1))
  if (kind.endsWith('?')) return valueOf(facts, kind.slice(0, -1))
  if (kind.endsWith('[]')) return [valueOf(facts, kind.slice(0, -2))]
  if (kind.startsWith('{')) return { key: valueOf(facts, kind.slice(1, -1)) }
  if (kind.startsWith('@')) return payloadOf(facts, kind.slice(1))
  return { string: 'text', integer: 7, float: 1.5, boolean: true }[kind] ?? 'anything'
}

/** A payload of that class, with each of its fields. */
function payloadOf(facts: ServiceFacts, name: string): Fields {
  const data = Object.fromEntries([...fieldsOf(facts, name)].map(([field, kind]) => [field, valueOf(facts, kind)]))
  if (facts.prefix === null) return data
  const version = facts.objects[name]?.version ?? '1.0'
  const parts = { name, namespace: facts.service, version, data }
  return Object.fromEntries(Object.entries(parts).map(([part, value]) => [`${facts.prefix}.${part}`, value]))
}

/** The fields of a payload in its wire form, to be changed. */
const dataOf = (facts: ServiceFacts, payload: Fields): Fields =>
  facts.prefix === null ? payload : (payload[`${facts.prefix}.data`] as Fields)

/** A value that no kind but `any` takes. */
const WRONG = Symbol.for('wrong')
const isOpen = (kind: string): boolean => /^[~]?(any|\{any\})\??$/.test(kind)

function refusal(facts: ServiceFacts, name: string, payload: Fields): unknown {
  try {
    readPayload(facts, name, payload)
    return undefined
  } catch (error) {
    return error
  }
}

describe.each([NOVA, NEUTRON, CINDER, KEYSTONE, IRONIC].map((facts) => [facts.service, facts] as const))(
  'payloads of %s',
  (_service, facts) => {
    const names = [...new Set(Object.values(facts.events))]

    it('with every field are read', () => {
      for (const name of names) expect(() => readPayload(facts, name, payloadOf(facts, name)), name).not.toThrow()
      expect(names.length).toBeGreaterThan(0)
    })

    it('without a field that must be there are refused by its name, and kept', () => {
      let refused = 0
      for (const name of names)
        for (const [field, kind] of fieldsOf(facts, name)) {
          const payload = payloadOf(facts, name)
          Reflect.deleteProperty(dataOf(facts, payload), field)
          const error = refusal(facts, name, payload)
          if (kind.startsWith('~')) expect(error, `${name}.${field}`).toBeUndefined()
          else {
            expect(error, `${name}.${field}`).toMatchObject({ field: `payload.${field}` })
            expect((error as PayloadMismatch).raw).toBe(payload)
            refused += 1
          }
        }
      console.log(`${facts.service}: ${names.length} payloads, ${refused} refused for a field that is missing`)
    })

    it('with a field of another kind are refused by its name, kept, and not printed', () => {
      let refused = 0
      for (const name of names)
        for (const [field, kind] of fieldsOf(facts, name)) {
          if (isOpen(kind)) continue
          const payload = payloadOf(facts, name)
          dataOf(facts, payload)[field] = WRONG
          const error = refusal(facts, name, payload)
          expect(error, `${name}.${field}`).toMatchObject({
            field: `payload.${field}`,
            code: 'OSLO_MESSAGING_PAYLOAD_MISMATCH',
          })
          expect((error as PayloadMismatch).raw).toBe(payload)
          expect(inspect(error)).not.toContain('wrong')
          refused += 1
        }
      console.log(`${facts.service}: ${refused} refused for a field of another kind`)
    })

    // Payloads without versions cannot have an unknown one.
    if (facts.prefix !== null)
      it('of an unknown version are refused with both versions, also deep inside', () => {
        for (const name of names) {
          const payload = payloadOf(facts, name)
          payload[`${facts.prefix}.version`] = '99.0'
          expect(refusal(facts, name, payload)).toBeInstanceOf(UnknownObjectVersion)
          for (const [field, kind] of fieldsOf(facts, name)) {
            if (!/^~?@\w+\??$/.test(kind)) continue
            const outer = payloadOf(facts, name)
            const inner = dataOf(facts, outer)[field] as Fields
            inner[`${facts.prefix}.version`] = '99.0'
            expect(refusal(facts, name, outer), `${name}.${field}`).toMatchObject({
              field: `payload.${field}`,
              code: 'OSLO_MESSAGING_OBJECT_VERSION',
              version: '99.0',
              raw: outer,
            })
          }
        }
      })

    it('are lost by nobody: kept as dead letters, and read by whoever reads the wire', async () => {
      const [event, name] = Object.entries(facts.events)[0] ?? ['', '']
      const bad = { ...payloadOf(facts, name) }
      const [field, kind] = [...fieldsOf(facts, name)].find(([, each]) => !isOpen(each)) ?? ['', '']
      dataOf(facts, bad)[field] = kind.includes('boolean') ? 'neither' : true
      const url = `memory://bad-input-${facts.service}`
      const bus = await getNotificationTransport({ url })
      const [handled, raw]: [unknown[], unknown[]] = [[], []]
      const targets = [{ topic: 'notifications' }]
      const typed = getNotificationListener(
        bus,
        targets,
        [onNotification(event as OpenStackEvent, (payload) => void handled.push(payload))],
        { pool: 'typed', onFailure: { then: 'dead-letter', retryIf: (error) => !(error instanceof PayloadMismatch) } },
      )
      await typed.start()
      const notifier = new Notifier(bus, {
        driver: 'messagingv2',
        topics: ['notifications'],
        publisherId: facts.service,
      })
      await notifier.info({}, event, bad)
      await notifier.info({}, event, payloadOf(facts, name))
      await expect.poll(() => handled.length).toBe(1)
      await typed.stop()
      await typed.wait()

      const admin = await getBrokerAdmin(await loadConfig(), { url })
      const dead = (await admin.queues()).filter((queue) => queue.name.endsWith('.dead') && (queue.messages ?? 0) > 0)
      expect(dead.map(({ messages }) => messages)).toEqual([1])
      const reader = getNotificationListener(
        bus,
        targets,
        [
          {
            info: (_context, _publisher, _event, payload) => {
              raw.push(payload)
              return NotificationResult.HANDLED
            },
          },
        ],
        { pool: 'typed' },
      )
      await reader.start()
      await admin.redrive((dead[0]?.name ?? '').replace(/\.dead$/, ''))
      await expect.poll(() => raw).toEqual([bad])
      await admin.close()
      await bus.close()
    })
  },
)
