import { createDriverRegistry } from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines } from './support/memory.ts'

const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver, memoryDriver], discover: false })
const RABBIT = 'rabbit://nova:s3cret@one/nova'

async function topology(argv: readonly string[], url = RABBIT, notifications?: string) {
  let [out, err] = ['', '']
  const code = await run(['topology', ...argv], {
    registry,
    env: { OS_DEFAULT__TRANSPORT_URL: url, OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: notifications },
    out: (text) => (out += text),
    err: (text) => (err += text),
  })
  return { code, out, err }
}

const names = (out: string): readonly unknown[] =>
  jsonLines(out)
    .filter(({ kind }) => kind === 'queue')
    .map(({ name }) => name)

describe('oslo-msg topology', () => {
  it('a table - what is declared, how, and by whom; no password', async () => {
    const { code, out, err } = await topology(['--server', 'work:one', '--client', 'work'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^exchange +openstack +topic, not durable +rpc-server, rpc-client$/m)
    expect(out).toMatch(/^binding +work\.one +to openstack by work\.one +rpc-server$/m)
    expect(out).not.toContain('s3cret')
  })

  it('--json - one declaration a line; names, pools and priorities as they are given', async () => {
    expect(names((await topology(['--server', 'work', '--json'])).out)).toEqual(['work', 'work.*', 'work_fanout_*'])
    expect(names((await topology(['--listen', 'n', '--priority', 'info', '--json'])).out)).toEqual(['n.info'])
    expect(names((await topology(['--listen', 'n:p', '--json'])).out)).toEqual(['p'])
    expect(names((await topology(['--notify', 'n', '--json'])).out)).toHaveLength(7)
    const other = await topology(['--client', 'work', '--exchange', 'nova', '--json'])
    expect(jsonLines(other.out)[0]).toMatchObject({ kind: 'exchange', name: 'nova' })
  })

  it('--format rabbitmq, permissions, kubernetes - what the tools of the broker read', async () => {
    const uses = ['--server', 'work:one', '--notify', 'n', '--priority', 'info']
    const definitions = JSON.parse((await topology([...uses, '--format', 'rabbitmq'])).out) as {
      readonly vhosts: object
      readonly queues: readonly { readonly name: string }[]
    }
    expect(definitions.vhosts).toEqual([{ name: 'nova' }])
    expect(definitions.queues.map(({ name }) => name)).toEqual(['work', 'work.one', 'n.info'])
    const rights = await topology([...uses, '--format', 'permissions'])
    expect(rights.out.match(/^rabbitmqctl set_permissions -p 'nova' USER /gm)).toHaveLength(3)
    const resources = JSON.parse((await topology([...uses, '--format', 'kubernetes'])).out) as { readonly kind: string }
    expect(resources.kind).toBe('List')
  })

  it('--url and --notify-url - instead of what is configured; one of them goes for both', async () => {
    const uses = ['--server', 'work', '--notify', 'n', '--priority', 'info', '--json']
    const kinds = async (...argv: readonly string[]): Promise<readonly unknown[]> => [
      ...new Set(jsonLines((await topology([...uses, ...argv], 'nobody://h/')).out).map(({ kind }) => kind)),
    ]
    expect(await kinds('--url', RABBIT)).toEqual(['exchange', 'queue', 'binding'])
    expect(await kinds('--url', RABBIT, '--notify-url', 'kafka://two/')).toContain('topic')
  })

  it('two brokers - each is asked for its own uses', async () => {
    const both = await topology(['--server', 'work:one', '--notify', 'n', '--json'], RABBIT, 'rabbit://bus/events')
    expect(names(both.out)).toHaveLength(3 + 7)
    const uses = ['--server', 'work:one', '--notify', 'n', '--format', 'rabbitmq']
    const twice = await topology(uses, RABBIT, 'rabbit://bus/events')
    expect(twice).toMatchObject({ code: 2, out: '' })
    expect(twice.err).toContain('ask for the rabbitmq of one, then of the other')
    const { out } = await topology(['--notify', 'n', '--format', 'rabbitmq'], RABBIT, 'rabbit://bus/events')
    expect(JSON.parse(out)).toMatchObject({ vhosts: [{ name: 'events' }] })
  })

  it('calls over RabbitMQ and notifications over Kafka - one table of both, and each format from who has it', async () => {
    const uses = ['--server', 'work:one', '--notify', 'n', '--priority', 'info']
    const { out } = await topology(uses, RABBIT, 'kafka://bus/')
    expect(out).toMatch(/^queue +work\.one /m)
    expect(out).toMatch(/^topic +n\.info /m)
    expect((await topology([...uses, '--format', 'kafka'], RABBIT, 'kafka://bus/')).out).toBe(
      'kafka-topics.sh --bootstrap-server bus:9092 --create --if-not-exists --topic n.info\n',
    )
    const definitions = (await topology([...uses, '--format', 'rabbitmq'], RABBIT, 'kafka://bus/')).out
    expect(definitions).not.toContain('n.info')
    expect(await topology(['--client', 'work'], 'kafka://bus/')).toMatchObject({ code: 1, out: '' })
  })

  it.each([
    { argv: [], code: 2, says: 'Whose topology? Give --server, --client, --notify or --listen' },
    { argv: ['--server', ':one'], code: 2, says: '--server is written TOPIC or TOPIC:NAME, not ":one"' },
    { argv: ['--client', ''], code: 2, says: '--client needs a topic' },
    { argv: ['--notify', 'n', '--priority', 'loud'], code: 2, says: '--priority is one of audit' },
    {
      argv: ['--client', 'w', '--format', 'kafka'],
      code: 2,
      says: 'There is no format kafka for this; there are table, rabbitmq, kubernetes, permissions',
    },
    { argv: ['--client', 'w', '--format', 'rabbitmq', '--json'], code: 2, says: '--json prints the table as JSON' },
    { argv: ['--client', 'w'], url: 'memory://', code: 1, says: 'The memory driver does not say what it declares' },
    { argv: ['--client', 'w'.repeat(300)], code: 1, says: 'takes more than the 255 bytes of AMQP' },
  ])('$says - on one line, exit code $code', async ({ argv, code, says, url }) => {
    const ended = await topology(argv, url)
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toContain(says)
    expect(ended.err.trimEnd()).not.toContain('\n')
  })
})
