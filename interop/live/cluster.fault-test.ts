import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import type { ConfigOverrides } from '@oslo-messaging/core'
import { afterAll, afterEach, describe, expect } from 'vitest'

import { healed, nodeAt } from '../../packages/rabbit/test/support/cluster.ts'
import { unique } from '../test/support/ours.ts'
import { writeResults } from './matrix/results.ts'
import { merged, settingsOf } from './matrix/stage-run.ts'
import { mixed } from './mixed/cell.ts'
import { openDeployment } from './mixed/deployment.ts'
import { Load } from './mixed/load.ts'
import { OurSide } from './our-side.ts'
import { PythonSide } from './python-side.ts'
import type { LiveClient, LiveServer } from './side.ts'
import { pythonOf, RELEASES } from './transports/releases.ts'

const TRANSPORT = 'rabbit: cluster of three'
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
    const closing: { close(): Promise<void> }[] = []
    const setups: { readonly title: string; readonly client: LiveClient; readonly server: LiveServer }[] = []
    // Mirrored queues, for which `enable_cancel_on_failover` was made, are gone from RabbitMQ 4, and quorum queues refuse the option.
    const settings = merged(QUORUM, { oslo_messaging_rabbit: { rpc_conn_pool_size: 1, conn_pool_min_size: 1 } })
    const ours = new OurSide(url, settings)
    const theirs = await PythonSide.start({ ...python, url, settings: settingsOf(settings) })
    closing.push(ours, theirs)
    const pairs = [
      ['ours to ours', ours, ours],
      ['ours to python', ours, theirs],
      ['python to ours', theirs, ours],
    ] as const
    for (const [title, caller, callee] of pairs) {
      const topic = unique('failover')
      const server = await callee.serve({ topic, server: 'one' })
      const client = await caller.client({ target: { topic, server: 'one' }, timeoutMs: 60_000 })
      setups.push({ title, client, server })
    }
    // Whichever node a connection is on, it dies once during a call.
    for (const victim of [0, 1, 2]) {
      const calls = setups.map(({ client }) => client.call('sleep', { seconds: 8, value: 'done' }))
      const begun = (): string[] =>
        setups.filter(({ server }) => server.requests.items.length > 2 * victim).map(({ title }) => title)
      await expect.poll(begun, { timeout: 30_000 }).toEqual(setups.map(({ title }) => title))
      await kill(victim)
      const answers = await Promise.all(calls)
      const told = setups.map(({ title }, index) => [title, answers[index]?.error?.message ?? answers[index]?.value])
      expect(told).toEqual(setups.map(({ title }) => [title, 'done']))
      const after = await Promise.all(setups.map(({ client }) => client.call('ping')))
      expect(after.map(({ value }) => value)).toEqual(setups.map(() => 'pong'))
      await healed(broker)
    }
    await Promise.all([ours.close(), theirs.close()])
  })
})
