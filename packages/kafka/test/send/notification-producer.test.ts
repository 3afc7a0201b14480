import { describe, expect, it } from 'vitest'
import { createDeferred, isMessagingError, type MessagingError } from '@oslo-messaging/core/driver'
import { ClientFault } from '../../src/port/client-port.ts'
import { eventually, notification, notifyOptions, openOver, recordingLogger, send } from '../support/open-driver.ts'
import { ScriptedKafka } from '../support/scripted-client.ts'

async function failure(promise: Promise<unknown>): Promise<MessagingError> {
  const error: unknown = await promise.then(
    () => new Error('It resolved'),
    (reason: unknown) => reason,
  )
  if (!isMessagingError(error)) throw error
  return error
}

const values = (kafka: ScriptedKafka, topic: string): unknown[] =>
  (kafka.topics.get(topic) ?? []).flat().map(({ value }) => {
    const { 'oslo.message': text } = JSON.parse(String(value)) as { 'oslo.message': string }
    return (JSON.parse(text) as { payload: unknown }).payload
  })

describe('producer', () => {
  it('arrivals while a request is under way share the next one', async () => {
    const kafka = new ScriptedKafka()
    const gate = createDeferred<void>()
    kafka.beforeStore = async () => {
      if (kafka.requests.length === 1) await gate.promise
    }
    const driver = openOver(kafka)
    const sent = [send(driver, 't.info', 0)]
    await eventually(() => kafka.requests.length === 1, 'the first request')
    for (let n = 1; n <= 50; n += 1) sent.push(send(driver, 't.info', n))
    gate.resolve()
    await Promise.all(sent)
    expect(kafka.requests.map(({ records }) => records.length)).toEqual([1, 50])
    expect(values(kafka, 't.info')).toEqual(Array.from({ length: 51 }, (_, n) => n))
    await driver.close()
  })

  it('callers that wait for each of theirs stay together in one request', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let n = 0; n < 10; n += 1) await send(driver, 't.info', n)
      }),
    )
    expect(kafka.requests.length).toBeLessThanOrEqual(12)
    await driver.close()
  })

  it('a topic does not wait for another', async () => {
    const kafka = new ScriptedKafka()
    const gate = createDeferred<void>()
    kafka.beforeStore = async ({ topic }) => {
      if (topic === 'slow.info') await gate.promise
    }
    const driver = openOver(kafka)
    const slow = send(driver, 'slow.info', 1)
    await send(driver, 'fast.info', 1)
    gate.resolve()
    await slow
    await driver.close()
  })

  it('batches are capped by bytes', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    await Promise.all(Array.from({ length: 60 }, async () => await send(driver, 't.info', 'x'.repeat(50_000))))
    const sizes = kafka.requests.map(({ records }) => records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0))
    expect(Math.max(...sizes)).toBeLessThan(1_048_588)
    expect(kafka.requests.length).toBeLessThanOrEqual(5)
    await driver.close()
  })

  it('P07 bytes in flight are bounded - more waits for room until its deadline, and goes through when there is some', async () => {
    const kafka = new ScriptedKafka()
    const stuck = createDeferred<void>()
    kafka.beforeStore = async () => await stuck.promise
    const driver = openOver(kafka)
    // One payload of 1 MiB counts for each that carries it, and is in memory once.
    const text = 'x'.repeat(1024 * 1024)
    const accepted = Array.from({ length: 127 }, async () => await send(driver, 't.info', text, { timeoutMs: 60_000 }))
    const impatient = failure(send(driver, 't.info', text, { timeoutMs: 200 }))
    const patient = send(driver, 'other.info', text, { timeoutMs: 60_000 })
    expect(await impatient).toMatchObject({ code: 'OSLO_MESSAGING_BACKPRESSURE', delivery: 'not-sent' })
    expect(kafka.requests.length).toBeLessThanOrEqual(1)
    stuck.resolve()
    await Promise.all([...accepted, patient])
    await driver.close()
  })

  it('what is refused is not encoded first - a flood is encoded as far as it is let in', async () => {
    const kafka = new ScriptedKafka()
    const stuck = createDeferred<void>()
    kafka.beforeStore = async () => await stuck.promise
    const driver = openOver(kafka)
    let encoded = 0
    const text = 'x'.repeat(2 * 1024 * 1024)
    const payload = {
      toJSON: () => {
        encoded += 1
        return text
      },
    }
    const aborting = new AbortController()
    const sent = Array.from({ length: 300 }, async () => {
      return await send(driver, 't.info', payload, { timeoutMs: 60_000, signal: aborting.signal })
    })
    const outcomes = Promise.allSettled(sent)
    // 128 MiB on their way and as much in line.
    expect(encoded).toBeLessThan(140)
    aborting.abort(new Error('enough'))
    const refused = (await outcomes).filter(
      (outcome) => outcome.status === 'rejected' && isMessagingError(outcome.reason, 'BACKPRESSURE'),
    )
    expect(refused.length).toBeGreaterThan(150)
    stuck.resolve()
    await driver.close()
  })

  it('producer_batch_size caps batches by number', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { producer_batch_size: 7 } })
    await Promise.all(Array.from({ length: 30 }, async (_, n) => await send(driver, 't.info', n)))
    expect(Math.max(...kafka.requests.map(({ records }) => records.length))).toBe(7)
    await driver.close()
  })

  it('producer_batch_timeout waits for more, and not longer once the batch is full', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka, { options: { producer_batch_timeout: 0.05, producer_batch_size: 3 } })
    const first = send(driver, 't.info', 0)
    await new Promise((resolve) => setTimeout(resolve, 10))
    const second = send(driver, 't.info', 1)
    await Promise.all([first, second])
    expect(kafka.requests.map(({ records }) => records.length)).toEqual([2])
    const since = performance.now()
    await Promise.all([2, 3, 4].map(async (n) => await send(driver, 't.info', n)))
    expect(performance.now() - since).toBeLessThan(45)
    await driver.close()
  })

  it('error row: message too large - only the guilty one is rejected', async () => {
    const kafka = new ScriptedKafka()
    kafka.beforeStore = ({ records }) => {
      const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
      if (bytes > 20_000) throw new ClientFault('MESSAGE_TOO_LARGE', 'too large', { written: true })
    }
    const driver = openOver(kafka)
    const outcomes = await Promise.allSettled(
      [1, 2, 'x'.repeat(30_000), 3, 4].map(async (payload) => await send(driver, 't.info', payload)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    const guilty = outcomes[2] as PromiseRejectedResult
    expect(guilty.reason).toMatchObject({
      code: 'OSLO_MESSAGING_DRIVER',
      brokerCode: 'MESSAGE_TOO_LARGE',
      retryable: false,
      delivery: 'not-sent',
    })
    expect(values(kafka, 't.info')).toEqual([1, 2, 3, 4])
    await driver.close()
  })

  it('authorization refused - concerns its topic only', async () => {
    const kafka = new ScriptedKafka()
    kafka.beforeStore = ({ topic }) => {
      if (topic === 'secret.info') throw new ClientFault('TOPIC_AUTHORIZATION_FAILED', 'no', { written: false })
    }
    const driver = openOver(kafka)
    const [secret, open] = await Promise.allSettled([send(driver, 'secret.info', 1), send(driver, 'open.info', 1)])
    expect(open.status).toBe('fulfilled')
    expect((secret as PromiseRejectedResult).reason).toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('a topic that is being made is waited for', async () => {
    const kafka = new ScriptedKafka()
    let refusals = 3
    kafka.beforeStore = () => {
      if (refusals-- > 0) throw new ClientFault('UNKNOWN_TOPIC_OR_PARTITION', 'not yet')
    }
    const driver = openOver(kafka)
    await send(driver, 't.info', 1, { retries: 5 })
    expect(values(kafka, 't.info')).toEqual([1])
    await driver.close()
  })

  it('trap 2, a partition that does not exist - nothing is reported as sent', async () => {
    const kafka = new ScriptedKafka()
    kafka.beforeStore = () => {
      throw new ClientFault('PartitionMissing', 'no such partition')
    }
    const driver = openOver(kafka)
    const error = await failure(send(driver, 't.info', 1, { retries: 1 }))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', delivery: 'not-sent' })
    await driver.close()
  })

  it.each(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_LEADER_EPOCH', 'FENCED_LEADER_EPOCH'])(
    'a leader that is demoted after it stored answers %s - nothing is stored twice, and nothing resolved is missing',
    async (answer) => {
      const kafka = new ScriptedKafka()
      kafka.createTopic('t.info', 3)
      kafka.afterStore = ({ partition }) => {
        if (kafka.requests.length === 1) throw new ClientFault(answer, 'demoted', { written: true, partition })
      }
      const driver = openOver(kafka)
      const sent = Array.from({ length: 12 }, (_, n) => n)
      for (const n of sent) await send(driver, 't.info', n)
      expect(
        values(kafka, 't.info')
          .map(Number)
          .toSorted((one, other) => one - other),
      ).toEqual(sent)
      await driver.close()
    },
  )

  it('retries while nobody can be connected to - attempts to connect count, and the send fails long before its deadline', async () => {
    const kafka = new ScriptedKafka()
    kafka.onConnect = async () => await Promise.reject(new ClientFault('ECONNREFUSED', 'refused'))
    const driver = openOver(kafka)
    const [none, two] = await Promise.allSettled([
      send(driver, 'once.info', 1, { timeoutMs: 60_000, retries: 0 }),
      send(driver, 'thrice.info', 1, { timeoutMs: 60_000, retries: 2 }),
    ])
    const failure = (attempts: number) => ({
      status: 'rejected',
      reason: { code: 'OSLO_MESSAGING_DELIVERY', phase: 'connect', delivery: 'not-sent', attempts },
    })
    expect([none, two]).toMatchObject([failure(1), failure(3)])
    await driver.close()
  })

  it('retries 0 - one attempt, and the error says what is known', async () => {
    const kafka = new ScriptedKafka()
    kafka.beforeStore = () => {
      throw new ClientFault('ECONNRESET', 'reset', { written: true })
    }
    const driver = openOver(kafka)
    const error = await failure(send(driver, 't.info', 1, { retries: 0 }))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DELIVERY', delivery: 'unknown', phase: 'confirm', attempts: 1 })
    expect(kafka.requests).toHaveLength(1)
    await driver.close()
  })

  it('error row: ISR below min.insync.replicas - a deadline between two attempts says why, and what it gave up is never stored', async () => {
    const kafka = new ScriptedKafka()
    let isShrunk = true
    kafka.beforeStore = () => {
      if (isShrunk) throw new ClientFault('NOT_ENOUGH_REPLICAS', 'too few', { written: true, partition: 0 })
    }
    const driver = openOver(kafka)
    const impatient = failure(send(driver, 't.info', 'impatient', { timeoutMs: 300 }))
    const patient = send(driver, 't.info', 'patient')
    const error = await impatient
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      phase: 'publish',
      delivery: 'not-sent',
      cause: { brokerCode: 'NOT_ENOUGH_REPLICAS', message: expect.stringContaining('min.insync.replicas') as string },
    })
    isShrunk = false
    await patient
    expect(values(kafka, 't.info')).toEqual(['patient'])
    await driver.close()
  })

  it('a lost answer - the same request is repeated to the same partition in the same session', async () => {
    const kafka = new ScriptedKafka()
    kafka.createTopic('t.info', 4)
    let losses = 2
    kafka.beforeStore = () => {
      if (losses-- > 0) throw new ClientFault('ECONNRESET', 'reset', { written: true, partition: 2 })
    }
    const driver = openOver(kafka)
    await Promise.all([send(driver, 't.info', 1), send(driver, 't.info', 2)])
    expect(kafka.requests.slice(1).every(({ partition }) => partition === 2)).toBe(true)
    expect(kafka.producers).toHaveLength(1)
    await driver.close()
  })

  it('a request given up with its outcome unknown - the next one of the partition is not taken for its repetition', async () => {
    const kafka = new ScriptedKafka()
    kafka.afterStore = () => {
      if (kafka.requests.length === 1) throw new ClientFault('ECONNRESET', 'reset', { written: true, partition: 0 })
    }
    const driver = openOver(kafka)
    await failure(send(driver, 't.info', 1, { retries: 0 }))
    await send(driver, 't.info', 2)
    expect(values(kafka, 't.info')).toEqual([1, 2])
    await driver.close()
  })

  it('a deadline of one topic - does not reject what is under way to another, whose outcome is unknown at that moment', async () => {
    const kafka = new ScriptedKafka()
    let isCut = true
    kafka.beforeStore = ({ topic, partition }) => {
      if (isCut && topic === 'patient.info') throw new ClientFault('ECONNRESET', 'reset', { written: true, partition })
    }
    kafka.afterStore = async ({ topic, partition }) => {
      if (!isCut) return
      if (topic === 'hasty.info') await new Promise((resolve) => setTimeout(resolve, 150))
      throw new ClientFault('ECONNRESET', 'reset', { written: true, partition })
    }
    const driver = openOver(kafka)
    const patient = send(driver, 'patient.info', 1, { timeoutMs: 60_000 })
    const hasty = failure(send(driver, 'hasty.info', 1, { timeoutMs: 100 }))
    expect(await hasty).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', delivery: 'unknown' })
    await new Promise((resolve) => setTimeout(resolve, 200))
    isCut = false
    await patient
    await send(driver, 'hasty.info', 2)
    expect(values(kafka, 'patient.info')).toEqual([1])
    expect(values(kafka, 'hasty.info')).toEqual([1, 2])
    await driver.close()
  })

  it('idempotence refused - sends without, and does not repeat what may have arrived', async () => {
    const kafka = new ScriptedKafka()
    const logger = recordingLogger()
    kafka.onConnect = ({ idempotent }) => {
      if (idempotent) throw new ClientFault('CLUSTER_AUTHORIZATION_FAILED', 'no')
    }
    const driver = openOver(kafka, { logger })
    await send(driver, 't.info', 1)
    expect(kafka.producers.map(({ options }) => options.idempotent)).toEqual([true, false])
    expect(logger.lines.filter(({ level }) => level === 'info')).toHaveLength(1)
    kafka.beforeStore = () => {
      throw new ClientFault('ECONNRESET', 'reset', { written: true })
    }
    const error = await failure(send(driver, 't.info', 2))
    expect(error).toMatchObject({ delivery: 'unknown', retryable: true })
    await driver.close()
  })

  it.each([
    { situation: 'while connecting', phase: 'connect', delivery: 'not-sent' },
    { situation: 'while the broker confirms', phase: 'confirm', delivery: 'unknown' },
    { situation: 'behind a request under way', phase: 'publish', delivery: 'not-sent' },
  ])('P13 deadline $situation - $phase, $delivery', async ({ situation, phase, delivery }) => {
    const kafka = new ScriptedKafka()
    const never = createDeferred<void>()
    if (situation === 'while connecting') {
      kafka.onConnect = () => {
        throw new ClientFault('ECONNREFUSED', 'refused')
      }
    } else kafka.beforeStore = async () => await never.promise
    const driver = openOver(kafka)
    const first = failure(send(driver, 't.info', 1, { timeoutMs: 150 }))
    if (situation !== 'while connecting') await eventually(() => kafka.requests.length === 1, 'a request')
    const behind = situation.startsWith('behind') ? failure(send(driver, 't.info', 2, { timeoutMs: 100 })) : undefined
    const error = await (behind ?? first)
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT', phase, delivery })
    await first
    never.resolve()
    await driver.close()
  })

  it('an aborted signal ends the wait with its reason', async () => {
    const kafka = new ScriptedKafka()
    const never = createDeferred<void>()
    kafka.beforeStore = async () => await never.promise
    const driver = openOver(kafka)
    const controller = new AbortController()
    const sent = send(driver, 't.info', 1, { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(sent).rejects.toBe(reason)
    never.resolve()
    await driver.close()
  })

  it('wrong credentials - rejects at once, typed, and a later send tries again', async () => {
    const kafka = new ScriptedKafka()
    let wrong = true
    kafka.onConnect = () => {
      if (wrong) throw new ClientFault('KafkaJSSASLAuthenticationError', 'SASL authentication failed')
    }
    const driver = openOver(kafka)
    const error = await failure(send(driver, 't.info', 1))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', retryable: false, delivery: 'not-sent' })
    expect(driver.health().status).toBe('failed')
    wrong = false
    await eventually(() => driver.health().components[0]?.state === 'failed', 'the state')
    const since = Date.now()
    for (;;) {
      try {
        await send(driver, 't.info', 2)
        break
      } catch (reason) {
        if (Date.now() - since > 5000) throw reason
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    expect(driver.health().status).toBe('ok')
    await driver.close()
  })

  it('health - recovering with reason and since while the broker is away', async () => {
    const kafka = new ScriptedKafka()
    kafka.onConnect = () => {
      throw new ClientFault('ECONNREFUSED', 'connect ECONNREFUSED')
    }
    const driver = openOver(kafka)
    expect(driver.health().status).toBe('idle')
    const before = Date.now()
    await failure(send(driver, 't.info', 1, { timeoutMs: 100 }))
    const [component] = driver.health().components
    expect(component).toMatchObject({ kind: 'publisher', state: 'recovering' })
    expect(component?.reason).toContain('ECONNREFUSED')
    expect(component?.sinceMs).toBeGreaterThanOrEqual(before)
    await driver.close()
  })

  it('close - sends what is queued, in order', async () => {
    const kafka = new ScriptedKafka()
    const gate = createDeferred<void>()
    kafka.beforeStore = async () => {
      if (kafka.requests.length === 1) await gate.promise
    }
    const driver = openOver(kafka)
    const sent = Array.from({ length: 20 }, async (_, n) => await send(driver, 't.info', n))
    await eventually(() => kafka.requests.length === 1, 'the first request')
    const closed = driver.close()
    gate.resolve()
    await closed
    await Promise.all(sent)
    expect(values(kafka, 't.info')).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('close with an aborted signal - rejects what is left and says what is known', async () => {
    const kafka = new ScriptedKafka()
    const never = createDeferred<void>()
    kafka.beforeStore = async () => await never.promise
    const driver = openOver(kafka, { options: { producer_batch_size: 1 } })
    const under = failure(send(driver, 't.info', 1))
    await eventually(() => kafka.requests.length === 1, 'the first request')
    const queued = failure(send(driver, 't.info', 2))
    await driver.close({ signal: AbortSignal.abort() })
    expect(await under).toMatchObject({ code: 'OSLO_MESSAGING_CLOSED', delivery: 'unknown' })
    expect(await queued).toMatchObject({ code: 'OSLO_MESSAGING_CLOSED', delivery: 'not-sent' })
    never.resolve()
  })

  it('error row: bad topic name - one that no broker takes is refused before anything is sent', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    for (const topic of ['a b.info', 'x'.repeat(250)]) {
      const error = await failure(send(driver, topic, 1))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_INVALID_TARGET', delivery: 'not-sent' })
    }
    expect(kafka.producers).toHaveLength(0)
    await driver.close()
  })

  it('trace headers travel as record headers, and there is no key', async () => {
    const kafka = new ScriptedKafka()
    const driver = openOver(kafka)
    const { Target } = await import('@oslo-messaging/core/driver')
    await driver.sendNotification(
      new Target({ topic: 't.info' }),
      { ...notification(1), headers: { traceparent: '00-abc' } },
      notifyOptions(),
    )
    expect(kafka.requests[0]?.records[0]).toEqual({
      value: expect.any(Buffer) as Buffer,
      headers: { traceparent: '00-abc' },
    })
    await driver.close()
  })
})
