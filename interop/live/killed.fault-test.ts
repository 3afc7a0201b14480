import { skipOrFail } from '@oslo-messaging/brokers'
import { afterAll, describe, expect } from 'vitest'

import { unique } from '../test/support/ours.ts'
import { writeResults } from './matrix/results.ts'
import { settingsOf } from './matrix/stage-run.ts'
import { mixed } from './mixed/cell.ts'
import { type Killable, killableOurs, killablePython } from './mixed/killable.ts'
import { OurSide } from './our-side.ts'
import { PythonSide } from './python-side.ts'
import type { Answer, LiveClient, Side } from './side.ts'
import { TRANSPORTS } from './transports/index.ts'
import { pythonOf, RELEASES } from './transports/releases.ts'
import { closeVenues, venue } from './transports/venues.ts'

const MONITOR_MS = 4000
/** What a busy machine may add to it. */
const SLACK_MS = 3000

afterAll(async () => {
  await closeVenues()
  await writeResults('live-killed')
})

/** Kills a server in the middle of a monitored call that it has kept alive for longer than the monitor timeout; what
 *  became of the call, and how long after. */
async function killed(client: LiveClient, server: Killable): Promise<{ answer: Answer; afterMs: number }> {
  let isOver = false
  const wish = { monitorMs: MONITOR_MS, timeoutMs: 120_000 }
  const call = client.call('sleep', { seconds: 100, value: 'long' }, wish).finally(() => (isOver = true))
  await server.requests.atLeast(1, ({ args }) => args['value'] === 'long')
  // As a clock: the heartbeats of the long one have told that the server lives.
  const clock = await client.call(
    'sleep',
    { seconds: (1.5 * MONITOR_MS) / 1000, value: 'short' },
    { timeoutMs: 60_000 },
  )
  expect(clock.value).toBe('short')
  expect(isOver).toBe(false)
  const killedAt = performance.now()
  await server.kill()
  const answer = await call
  return { answer, afterMs: performance.now() - killedAt }
}

/** The next server is asked what comes next, and not what the dead one had taken. */
async function goesOn(client: LiveClient, next: Killable): Promise<void> {
  expect((await client.call('ping', {}, { timeoutMs: 30_000 })).value).toBe('pong')
  expect((await next.requests.atLeast(1)).map(({ method }) => method)).toEqual(['ping'])
}

const rowsOf = (...names: readonly string[]) => TRANSPORTS.filter(({ name }) => names.includes(name))

describe.each(rowsOf('rabbit: default', 'rabbit: quorum', 'amqp: dynamic'))('$name', async (row) => {
  const release = row.venue === 'artemis' ? 'amqp10' : 'newest'
  const place = await skipOrFail(venue(row.venue))
  const found = await skipOrFail(pythonOf(release))
  if (place === undefined || found === undefined) return
  const { version } = RELEASES[release]
  const scene = async () => {
    const url = await place.url(row.vhost)
    const topic = unique('killed')
    const clientOf = async (side: Side): Promise<LiveClient> => await side.client({ target: { topic } })
    const python = { python: found.python, version, url, settings: settingsOf(row.settings) }
    return { url, topic, python, clientOf }
  }

  mixed(
    row.name,
    'killed: a Python server in the middle of a monitored call: our client says in time that it is lost',
    async () => {
      const { url, topic, python, clientOf } = await scene()
      await using us = new OurSide(url, row.settings)
      const client = await clientOf(us)
      await using server = await killablePython(python, topic)
      const { answer, afterMs } = await killed(client, server)
      expect(answer.error?.raw).toMatchObject({
        name: 'ServerLost',
        code: 'OSLO_MESSAGING_SERVER_LOST',
        phase: 'reply',
        delivery: 'confirmed',
        monitorTimeoutMs: MONITOR_MS,
      })
      expect(afterMs).toBeLessThan(MONITOR_MS + SLACK_MS)
      await using next = await killablePython(python, topic)
      await goesOn(client, next)
    },
    'client',
  )

  mixed(
    row.name,
    'killed: our server in the middle of a monitored call: a Python client has its MessagingTimeout in time',
    async () => {
      const { url, topic, python, clientOf } = await scene()
      await using them = await PythonSide.start(python)
      const client = await clientOf(them)
      await using server = await killableOurs(url, row.settings, topic)
      const { answer, afterMs } = await killed(client, server)
      expect(answer.error).toMatchObject({ type: 'MessagingTimeout', origin: undefined })
      expect(afterMs).toBeLessThan(MONITOR_MS + SLACK_MS)
      await using next = await killableOurs(url, row.settings, topic)
      await goesOn(client, next)
    },
    'server',
  )
})
