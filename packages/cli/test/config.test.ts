import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry } from '@oslo-messaging/core'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines } from './support/memory.ts'

const registry = createDriverRegistry({ drivers: [rabbitDriver, kafkaDriver] })
const folder = mkdtempSync(join(tmpdir(), 'cli-config-'))

function conf(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const GOOD = conf(
  'good.conf',
  `[DEFAULT]
transport_url = rabbit://nova:s3cret@one,two/nova?heartbeat_rate=5
[oslo_messaging_notifications]
transport_url = kafka://kafka:9092/
driver = messagingv2
[oslo_messaging_rabbit]
rabbit_quorum_queue = true
`,
)

async function oslo(argv: readonly string[], env: Record<string, string> = {}) {
  let [out, err] = ['', '']
  const code = await run(['config', ...argv], {
    registry,
    env,
    out: (text) => (out += text),
    err: (text) => (err += text),
  })
  return { code, out, err }
}

describe('oslo-msg config effective', () => {
  it('what is set, by whom, and no secret', async () => {
    const { code, out } = await oslo(['effective', '--config-file', GOOD], { OS_DEFAULT__RPC_RESPONSE_TIMEOUT: '7' })
    expect(code).toBe(0)
    expect(out).toMatch(/^\[DEFAULT\] rpc_response_timeout +7 +environment OS_DEFAULT__RPC_RESPONSE_TIMEOUT$/m)
    expect(out).toMatch(/^\[oslo_messaging_rabbit\] rabbit_quorum_queue +true +.*good\.conf:7$/m)
    expect(out).toMatch(/^\[oslo_messaging_rabbit\] heartbeat_rate +5 +query of the transport URL$/m)
    expect(out).toContain('rabbit://nova:***@one')
    expect(out).not.toMatch(/s3cret|kombu_reconnect_delay/)
  })

  it('--json and --all', async () => {
    const { out } = await oslo(['effective', '--config-file', GOOD, '--all', '--json'])
    expect(jsonLines(out)).toContainEqual({
      group: 'oslo_messaging_rabbit',
      name: 'heartbeat_timeout_threshold',
      value: 60,
      where: null,
    })
    expect(out).not.toContain('s3cret')
  })
})

describe('oslo-msg config validate', () => {
  it('a good one - says so', async () => {
    expect(await oslo(['validate', '--config-file', GOOD])).toEqual({
      code: 0,
      out: 'The configuration can be used\n',
      err: '',
    })
  })

  it.each([
    {
      text: '[oslo_messaging_rabbit]\nrabbit_quorom_queue = true\n',
      says: 'did you mean rabbit_quorum_queue?',
      code: 3,
    },
    { text: '[oslo_messaging_rabbit]\nheartbeat_rate = often\n', says: 'heartbeat_rate', code: 3 },
    { text: '[DEFAULT]\nrpc_response_timeout = soon\n', says: 'must be an integer of at least 0', code: 3 },
    { text: '[DEFAULT]\ntransport_url = nats://h/\n', says: 'No driver serves the scheme nats', code: 3 },
    { text: '[DEFAULT]\ntransport_url = rabbit://h/?hartbeat_rate=1\n', says: 'did you mean heartbeat_rate?', code: 3 },
    { text: '[DEFAULT]\ntransport_url = nonsense\n', says: 'No scheme specified', code: 3 },
    { text: '[DEFAULT]\ntransprt_url = rabbit://h/\n', says: 'did you mean transport_url?', code: 4 },
    { text: '[DEFAULT\n', says: 'line.conf:1', code: 3 },
  ])('$text - exit code $code', async ({ text, says, code }) => {
    const ended = await oslo(['validate', '--config-file', conf('line.conf', text)])
    expect(ended.out).toContain(says)
    expect(ended.code).toBe(code)
    expect(ended.out).toMatch(/^(error|warning): /)
  })

  it('--json - one finding a line', async () => {
    const { out } = await oslo(['validate', '--json', '--config-file', conf('j.conf', '[DEFAULT]\ntransprt_url = x\n')])
    expect(jsonLines(out)).toMatchObject([{ severity: 'warning' }])
  })
})

describe('oslo-msg config sample, schema, explain, diff', () => {
  it('O9 list_opts - the sample, read as a configuration it changes nothing, and every option is in it', async () => {
    const { out } = await oslo(['sample'])
    expect(out).toMatch(/^\[oslo_messaging_kafka\]$/m)
    expect(out).toMatch(/^#heartbeat_timeout_threshold = 60$/m)
    expect(out).toMatch(/^#hostname = <unset>$/m)
    const file = conf('sample.conf', out)
    expect(await oslo(['diff', file, conf('empty.conf', '')])).toMatchObject({ code: 0, out: 'They set the same\n' })
    // Without the # it is a configuration whose values are the defaults.
    const set = conf('set.conf', out.replaceAll(/^#(\w+ = (?!<unset>).+)$/gm, '$1'))
    const used = await oslo(['diff', set, file])
    expect(used).toMatchObject({ code: 0, out: 'They set the same\n' })
  })

  it('schema - JSON that names every group and forbids what is no option', async () => {
    const schema = JSON.parse((await oslo(['schema'])).out) as {
      properties: Record<string, { properties: object; additionalProperties: boolean }>
    }
    expect(schema.properties['oslo_messaging_rabbit']).toMatchObject({
      additionalProperties: false,
      properties: {
        rabbit_quorum_queue: { type: 'boolean', default: false },
        kombu_failover_strategy: { enum: ['round-robin', 'shuffle'] },
      },
    })
  })

  it('explain - what it does, takes, and is set to; a mistyped one is suggested', async () => {
    const { out } = await oslo(['explain', 'rabbit_quorum_queue', '--config-file', GOOD])
    expect(out).toMatch(/Declare topic, server and notification queues as quorum queues/)
    expect(out).toMatch(/value +true\n +set by +.*good\.conf:7/)
    expect((await oslo(['explain', 'transport_url'])).out.match(/^\[\w+\] transport_url$/gm)).toHaveLength(2)
    expect((await oslo(['explain', 'DEFAULT.transport_url'])).out.match(/^\[\w+\] transport_url$/gm)).toHaveLength(1)
    expect(await oslo(['explain', 'rabbit_quorum_quue'])).toMatchObject({
      code: 2,
      err: 'oslo-msg: There is no option rabbit_quorum_quue; did you mean rabbit_quorum_queue? (oslo-msg config --help)\n',
    })
  })

  it('diff - what differs, exit code 3', async () => {
    const other = conf('other.conf', '[DEFAULT]\ntransport_url = rabbit://nova:other@one,two/nova\n')
    const { code, out } = await oslo(['diff', GOOD, other, '--json'])
    expect(code).toBe(3)
    expect(jsonLines(out)).toContainEqual({
      option: '[oslo_messaging_rabbit] rabbit_quorum_queue',
      one: 'true',
      other: 'false',
    })
    expect(out).not.toMatch(/s3cret|other@/)
  })

  it('without a subcommand, or with a wrong one - says which there are', async () => {
    expect(await oslo([])).toMatchObject({ code: 2 })
    expect((await oslo(['validat'])).err).toContain('Did you mean validate?')
  })
})
