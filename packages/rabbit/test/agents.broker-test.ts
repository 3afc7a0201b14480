import { join } from 'node:path'
import { connect } from 'amqplib'
import { describe, expect, it } from 'vitest'
import { rabbit, unique } from './support/broker.ts'
import { type Fact, NodeProcess } from './support/job-process.ts'

const broker = await rabbit()

/** What agents call the trace in the headers of a message. */
function traceOf(headers: Readonly<Record<string, unknown>> | undefined): unknown {
  return /^00-(?<trace>[0-9a-f]{32})-/.exec(String(headers?.['traceparent']))?.groups?.['trace']
}

const named = (facts: readonly Fact[], key: string): Record<string, unknown> =>
  Object.fromEntries(facts.filter((fact) => key in fact).map((fact) => [String(fact[key]), fact['trace']]))

describe.skipIf(broker === undefined)('agents that watch amqplib', () => {
  if (broker === undefined) return

  it.each(['dd-trace', 'opentelemetry'])(
    '%s: every message carries the trace it was sent in, and is handled in it',
    async (agent) => {
      const { control } = broker
      const vhost = unique(agent)
      await control.vhost(vhost)
      const url = broker.urlFor({ vhost })
      const [served, unserved] = [unique('served'), unique('unserved')]
      // Nothing of amqplib is watched in this process.
      const connection = await connect(url.replace('rabbit://', 'amqp://'), { noDelay: true })
      const channel = await connection.createChannel()
      await channel.assertExchange('openstack', 'topic', { durable: false })
      await channel.assertQueue(unserved, { durable: false })
      await channel.bindQueue(unserved, 'openstack', unserved)

      const preload = join(import.meta.dirname, 'support', 'agents', `${agent}.cjs`)
      await using service = new NodeProcess(['--require', preload], 'traces.mjs', url, served, unserved)
      const { spans } = await service.fact('done')
      const { facts } = service
      expect(facts.filter((fact) => 'failed' in fact)).toEqual([])
      const sent = named(facts, 'sent')
      expect(new Set(Object.values(sent)).size).toBe(620)
      const away: Record<string, unknown> = {}
      for (;;) {
        const message = await channel.get(unserved, { noAck: true })
        if (message === false) break
        const { args } = JSON.parse(JSON.parse(message.content.toString())['oslo.message'])
        away[`away ${args.n}`] = traceOf(message.properties.headers)
      }
      expect({ ...named(facts, 'handled'), ...away }).toEqual(sent)
      if (Array.isArray(spans)) {
        const consumed = spans.filter(({ name }) => name.endsWith(' process'))
        // The casts, calls and notifications that are served here, and the replies to the calls.
        expect(consumed).toHaveLength(220)
        // Replies are acknowledged in groups: the last ones may be settled by the end of the channel.
        const failed = consumed.filter(({ name, status }) => status !== 0 && !name.startsWith('reply_'))
        expect(failed).toEqual([])
      }
      await connection.close()
      await control.deleteVhost(vhost)
    },
    60_000,
  )
})
