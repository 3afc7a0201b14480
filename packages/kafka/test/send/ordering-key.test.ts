import { describe, expect, it } from 'vitest'
import { createDeferred, type Driver, Target } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { partitionOfKey } from '../../src/send/partition-of-key.ts'
import { eventually, notification, notifyOptions, openOver, send, type SendOptions } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

const TOPIC = 't.info'
const PARTITIONS = 4
const partitionOf = (key: string): number => partitionOfKey(Buffer.from(key), PARTITIONS)
/** A key of each partition. */
const keys = Array.from({ length: PARTITIONS }, (_, partition) =>
  String(Array.from({ length: 100 }, (_all, n) => `k${n}`).find((key) => partitionOf(key) === partition)),
)

function scripted(): ScriptedKafka {
  const kafka = new ScriptedKafka()
  kafka.createTopic(TOPIC, PARTITIONS)
  return kafka
}

async function sendKeyed(driver: Driver, orderingKey: string, payload: unknown, options?: SendOptions): Promise<void> {
  const keyed = { ...notification(payload), orderingKey }
  await driver.sendNotification(new Target({ topic: TOPIC }), keyed, notifyOptions(options))
}

const stored = (kafka: ScriptedKafka): (readonly [key: string | undefined, payload: unknown])[][] =>
  (kafka.topics.get(TOPIC) ?? []).map((log) =>
    log.map(({ key, value }) => {
      const { 'oslo.message': text } = JSON.parse(String(value)) as { 'oslo.message': string }
      return [key?.toString(), (JSON.parse(text) as { payload: unknown }).payload] as const
    }),
  )

describe('ordering key', () => {
  it('is the key of the record, in the partition of that key, in the order of the calls', async () => {
    const kafka = scripted()
    const driver = openOver(kafka)
    const sent = Array.from({ length: 200 }, (_, n) => [keys[n % PARTITIONS] ?? '', n] as const)
    await Promise.all(sent.map(([key, n]) => sendKeyed(driver, key, n)))
    expect(stored(kafka)).toEqual(keys.map((key) => sent.filter(([each]) => each === key)))
    expect(kafka.requests.length).toBeLessThanOrEqual(2 * PARTITIONS)
    await driver.close()
  })

  it('without one there is neither key nor second session', async () => {
    const kafka = scripted()
    const driver = openOver(kafka)
    await send(driver, TOPIC, 1)
    expect(stored(kafka).flat()).toEqual([[undefined, 1]])
    expect(kafka.requests.every(({ records }) => records.every((record) => !('key' in record)))).toBe(true)
    expect(kafka.producers).toHaveLength(1)
    await driver.close()
  })

  it('a partition without a leader holds up neither other keys nor what has no key', async () => {
    const kafka = scripted()
    const [slow = '', fast = ''] = keys
    let isLed = false
    kafka.beforeStore = ({ partition, records: [first] }) => {
      if (partition === partitionOf(slow) && first?.key !== undefined && !isLed)
        throw new ClientFault('LEADER_NOT_AVAILABLE', 'no leader', { partition })
    }
    const driver = openOver(kafka)
    const waiting = sendKeyed(driver, slow, 'slow')
    await sendKeyed(driver, fast, 'fast')
    await send(driver, TOPIC, 'without')
    isLed = true
    await waiting
    expect(stored(kafka)[partitionOf(slow)]).toContainEqual([slow, 'slow'])
    await driver.close()
  })

  it('an answer that was lost is asked for again in the same partition, and the record is there once', async () => {
    const kafka = scripted()
    const [key = ''] = keys
    kafka.afterStore = () => {
      kafka.afterStore = () => {}
      throw new ClientFault('ECONNRESET', 'cut', { written: true, partition: partitionOf(key) })
    }
    const driver = openOver(kafka)
    await sendKeyed(driver, key, 1)
    expect(stored(kafka)[partitionOf(key)]).toEqual([[key, 1]])
    await driver.close()
  })

  it('a topic whose partitions are not told yet is asked for again; who gives up meanwhile was not sent', async () => {
    const kafka = scripted()
    const [key = ''] = keys
    let asked = 0
    const gate = createDeferred<void>()
    kafka.beforeCount = async () => {
      asked += 1
      if (asked === 1) throw new ClientFault('LEADER_NOT_AVAILABLE', 'not yet')
      await gate.promise
    }
    const driver = openOver(kafka)
    const caller = new AbortController()
    const given = sendKeyed(driver, key, 'given up', { signal: caller.signal })
    const kept = sendKeyed(driver, key, 'kept')
    await eventually(() => asked === 2, 'the second question')
    caller.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    gate.resolve()
    await kept
    expect(stored(kafka).flat()).toEqual([[key, 'kept']])
    await driver.close()
  })

  it('a timeout before the partition is known says not sent', async () => {
    const kafka = scripted()
    kafka.beforeCount = () => new Promise(() => {})
    const driver = openOver(kafka)
    await expect(sendKeyed(driver, 'k', 1, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'not-sent',
      phase: 'publish',
    })
  })

  it('a close that is cut short leaves nothing behind', async () => {
    const kafka = scripted()
    kafka.beforeStore = () => new Promise(() => {})
    const driver = openOver(kafka)
    const sent = sendKeyed(driver, 'k', 1)
    const failed = expect(sent).rejects.toMatchObject({ code: 'OSLO_MESSAGING_CLOSED', delivery: 'unknown' })
    await eventually(() => kafka.requests.length === 1, 'the request')
    await driver.close({ signal: AbortSignal.abort() })
    await failed
    expect(kafka.producers.map(({ isConnected }) => isConnected)).not.toContain(true)
  })
})
