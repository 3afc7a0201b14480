import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConsumerPort, TopicPartition } from '../../src/port/client-port.ts'
import { kindOf, toFault } from '../../src/port/map-error.ts'
import { plainClient, sharedKafka, unique, withAdmin } from '../support/broker.ts'
import { createClient } from '../support/client.ts'
import { OFFSET_COMMIT } from '../support/lose-answers.ts'
import { eventually, recordingLogger } from '../support/open-driver.ts'
import { watchRequests } from '../support/watch-requests.ts'

const broker = await sharedKafka()
const SYNC_GROUP = 14
/** Both clients join again and repeat what they repeat well within it. */
const LATER_MS = 3000

afterEach(() => {
  vi.restoreAllMocks()
})

interface Member {
  readonly port: ConsumerPort
  readonly assigned: () => readonly TopicPartition[]
}

async function join(
  address: readonly string[],
  group: string,
  topic: string,
  clientId: string,
  onRejoin: () => Promise<void> = async () => await Promise.resolve(),
): Promise<Member> {
  const settings = { brokers: address, clientId, tls: null, renewTls: () => null, sasl: null }
  const client = await createClient(settings, recordingLogger())
  let assigned: readonly TopicPartition[] = []
  const port = client.createConsumer({
    group,
    topics: [topic],
    maxBytesPerPartition: 1_000_000,
    maxBytes: 1_000_000,
    checksCrc: false,
    maxWaitMs: 200,
    sessionTimeoutMs: 30_000,
    heartbeatIntervalMs: 200,
    handlers: {
      onAssigned: (partitions) => {
        assigned = partitions
      },
      onRejoin,
      onBatch: async () => await Promise.resolve(),
      onLost: () => {},
    },
  })
  await port.start()
  return { port, assigned: () => assigned }
}

/** Stores ten records, so that positions up to ten are some. */
async function fill(topic: string, partition: number): Promise<void> {
  if (broker === undefined) return
  const producer = plainClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: 10 }, () => ({ partition, value: 'x' })) })
  await producer.disconnect()
}

describe.skipIf(broker === undefined)('positions of one deal of a group', () => {
  if (broker === undefined) return
  const address = broker.hosts.map(({ host, port }) => `${host}:${port}`)

  /** A topic of two partitions, and a group that the broker is ready to look after. */
  const scene = async () => {
    const group = unique('deal')
    const topic = unique('deal')
    await broker.createTopics([topic], { partitions: 2 })
    await withAdmin(broker, async (admin) => {
      // A broker that has just started refuses joins until it has loaded the group; the admin asks until it has.
      await admin.fetchOffsets({ groupId: group, topics: [topic] })
    })
    const both = [0, 1].map((partition) => ({ topic, partition }))
    for (const { partition } of both) await fill(topic, partition)
    return { group, topic, both }
  }

  it('a commit that begins while the group is dealt out anew does not move the partitions that others have then', async () => {
    const { group, topic, both } = await scene()
    let onSync = (): void => {}
    let isCut = false
    watchRequests({
      before: ({ key, clientId }) => {
        if (key !== OFFSET_COMMIT || clientId !== `${group}-first` || !isCut) return
        isCut = false
        throw Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' })
      },
      behind: ({ key, clientId }) => {
        if (key === SYNC_GROUP && clientId === `${group}-first`) onSync()
      },
    })
    const first = await join(address, group, topic, `${group}-first`)
    await first.port.commit(both.map((partition) => ({ ...partition, offset: 5 })))
    let late: Promise<string> | undefined
    onSync = () => {
      isCut = late === undefined
      late ??= first.port.commit(both.map((partition) => ({ ...partition, offset: 1 }))).then(
        () => 'stored',
        (error: unknown) => kindOf(toFault(error)),
      )
    }
    const second = await join(address, group, topic, `${group}-second`)
    await eventually(() => first.assigned().length === 1 && second.assigned().length === 1, 'one partition for each')
    await second.port.commit(second.assigned().map((partition) => ({ ...partition, offset: 9 })))
    expect(await late).toBe('rejoin')
    await new Promise((resolve) => setTimeout(resolve, LATER_MS))
    const stored = await withAdmin(
      broker,
      async (admin) => await admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    const offsets = stored[0]?.partitions.toSorted((one, other) => one.partition - other.partition)
    const isSeconds = (partition: number): boolean => second.assigned()[0]?.partition === partition
    expect(offsets?.map(({ offset }) => Number(offset))).toEqual([0, 1].map((number) => (isSeconds(number) ? 9 : 5)))
    await Promise.all([first.port.disconnect(), second.port.disconnect()])
  })

  it('a commit that is cut just before the group is dealt out anew is not repeated in the name of the next deal', async () => {
    const { group, topic, both } = await scene()
    let onCut: (() => void) | undefined
    watchRequests({
      before: ({ key, clientId }) => {
        if (key !== OFFSET_COMMIT || clientId !== `${group}-first` || onCut === undefined) return
        onCut()
        onCut = undefined
        throw Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' })
      },
    })
    let late: Promise<string> | undefined
    const onRejoin = async (): Promise<void> => {
      if (late !== undefined) return
      const cut = new Promise<void>((resolve) => {
        onCut = resolve
      })
      late = first.port.commit(both.map((partition) => ({ ...partition, offset: 1 }))).then(
        () => 'stored',
        () => 'refused',
      )
      await cut
      // The commit hears of it before the deal ends.
      await setImmediate()
    }
    const first = await join(address, group, topic, `${group}-first`, onRejoin)
    await first.port.commit(both.map((partition) => ({ ...partition, offset: 5 })))
    const second = await join(address, group, topic, `${group}-second`)
    await eventually(() => first.assigned().length === 1 && second.assigned().length === 1, 'one partition for each')
    expect(await late).toBe('refused')
    await Promise.all([first.port.disconnect(), second.port.disconnect()])
  })
})
