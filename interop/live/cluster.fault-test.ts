import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { ConfigOverrides } from '@oslo-messaging/core'
import { afterAll, afterEach, describe, expect } from 'vitest'

import { healed, leaderOf, nodeAt, urlOf } from '../../packages/rabbit/test/support/cluster.ts'
import { unique } from '../test/support/ours.ts'
import { writeResults } from './matrix/results.ts'
import { merged } from './matrix/stage-run.ts'
import { mixed } from './mixed/cell.ts'
import { openDeployment } from './mixed/deployment.ts'
import { Load } from './mixed/load.ts'
import { mirror, mirrorsAreWhole } from './mixed/mirrored.ts'
import { openPairs } from './mixed/pairs.ts'
import { openWays } from './mixed/ways.ts'
import { OurSide } from './our-side.ts'
import { pythonOf, RELEASES } from './transports/releases.ts'

const TRANSPORT = 'rabbit: cluster of three'
const ONE_CONNECTION: ConfigOverrides = { oslo_messaging_rabbit: { rpc_conn_pool_size: 1, conn_pool_min_size: 1 } }
/** As a deployment would set it, with a heartbeat short enough for a test. */
const QUICK: ConfigOverrides = {
  oslo_messaging_rabbit: { kombu_reconnect_delay: 0.5, rabbit_interval_max: 3, heartbeat_timeout_threshold: 6 },
}
const QUORUM: ConfigOverrides = merged(QUICK, {
  oslo_messaging_rabbit: { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true },
})

const found = await skipOrFail(pythonOf('newest'))
const broker = await skipOrFail(startBroker('rabbit', { nodes: 3 }))

describe.skipIf(found === undefined || broker === undefined)('a cluster of three nodes under both libraries', () => {
  if (found === undefined || broker === undefined) return
  const { version } = RELEASES.newest
  const python = { python: found.python, version }

  afterEach(async () => await healed(broker))
  afterAll(async () => {
    await broker.close()
    await writeResults('live-cluster')
  })

  const kill = async (index: number): Promise<void> => {
    await broker.control.flush(index)
    await nodeAt(broker, index).kill()
  }

  mixed(TRANSPORT, 'mixed: a node is killed under servers and clients of both kinds, and all recover', async () => {
    const vhost = unique('killed')
    await broker.vhost(vhost)
    await using deployment = await openDeployment(QUORUM, broker.urlFor({ vhost }), python)
    const kinds = ['python', 'python', 'ours', 'ours'] as const
    const servers = await Promise.all(kinds.map((kind) => deployment.serve(kind)))
    const names = servers.map(({ name }) => name)
    const load = new Load(await deployment.clients(8000), { callers: 6, timeoutMs: 8000 })
    await load.reaches(names, 10, 60_000)
    for (const victim of [2, 0]) {
      await kill(victim)
      // Every client has answers, and every server gives some, while the node is away.
      await load.flows(50, 60_000)
      await load.reaches(names, 10, 60_000)
      await healed(broker)
      await load.flows(50, 60_000)
    }
    await load.stop()
    process.stdout.write(`two nodes killed one after the other: ${load.report()}\n`)
    // What was under way is lost or told as such; nothing else goes wrong.
    const kindsOfFailure = new Set(load.failures.map(({ error }) => error.type))
    for (const type of kindsOfFailure)
      expect(['MessagingTimeout', 'ReplyPathLost', 'ClientSendError', 'MessageDeliveryFailure']).toContain(type)
    await Promise.all(servers.map((server) => server.stop()))
  })

  mixed(TRANSPORT, 'acceptance: RabbitMQFailoverTests.test_failover_scenario', async () => {
    const vhost = unique('failover')
    await broker.vhost(vhost)
    const url = broker.urlFor({ vhost })
    await using pairs = await openPairs({ ours: url, python: url }, merged(QUORUM, ONE_CONNECTION), python)
    // Whichever node a connection is on, it dies once during a call.
    for (const victim of [0, 1, 2]) {
      await pairs.callDuring(() => kill(victim))
      await healed(broker)
    }
    await pairs.close()
  })

  // Quorum queues refuse the option; mirrored ones, for which it was made, are gone from RabbitMQ 4.
  if (!broker.version.startsWith('3')) return
  mixed(TRANSPORT, 'acceptance: RabbitMQFailoverTests.test_failover_scenario_enable_cancel_on_failover', async () => {
    const vhost = unique('cancelled')
    await broker.vhost(vhost)
    await mirror(broker, vhost)
    const settings = merged(QUICK, ONE_CONNECTION, {
      oslo_messaging_rabbit: { amqp_durable_queues: true, enable_cancel_on_failover: true },
    })
    const topics = [unique('first'), unique('second'), unique('third')] as const
    await ledBy(2, vhost, settings, topics)
    await using ways = await openWays(broker, vhost, [0, 1])
    await using pairs = await openPairs(ways.urls, settings, python, topics)
    for (const victim of [2, 0, 1]) {
      await mirrorsAreWhole(broker, vhost)
      await pairs.callDuring(() => kill(victim))
      // No connection ended with the first: the queues moved, and both libraries were told.
      if (victim === 2) expect(ways.whoWasTold('basic.cancel')).toEqual(['ours', 'python'])
      await healed(broker)
    }
    await pairs.close()
  })

  /** Makes the queues of a server `one` on these topics, led by that node. */
  async function ledBy(
    node: number,
    vhost: string,
    settings: ConfigOverrides,
    topics: readonly string[],
  ): Promise<void> {
    if (broker === undefined) return
    await using side = new OurSide(urlOf(broker, vhost, [node]), settings)
    for (const topic of topics) await (await side.serve({ topic, server: 'one' })).stop()
    for (const topic of topics) expect(await leaderOf(broker, `${topic}.one`, vhost)).toBe(node)
    await broker.control.flush(node)
  }
})
