import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  Target,
} from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { kafkaDriver } from '../src/index.ts'

const registry = createDriverRegistry({ drivers: [kafkaDriver], discover: false })
// Nobody is there: whatever is refused here is refused without asking.
const url = 'kafka://127.0.0.1:1/'

async function reason(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return error
  }
}

describe('what Kafka does not do is refused while it is built', () => {
  it('P37 RPC - when the transport is built, by name, with the configuration that works', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: url } } })
    const error = await reason(async () => await getRpcTransport(conf, { registry }))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_UNSUPPORTED', capability: 'rpc' })
    expect((error as Error).message).toContain(
      'kafka is notify-only: set [DEFAULT] transport_url to rabbit:// or amqp:// and keep kafka in [oslo_messaging_notifications]',
    )
  })

  it('requeue - when the listener is built, by name, with what to use instead', async () => {
    await using bus = await getNotificationTransport(await loadConfig(), { url, registry })
    const error = await reason(() =>
      getNotificationListener(bus, [new Target({ topic: 't' })], [{ info() {} }], { allowRequeue: true }),
    )
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_UNSUPPORTED', capability: 'requeue' })
    expect((error as Error).message).toContain('leave allowRequeue out and retry inside the endpoint')
  })

  it.each([
    {
      what: 'a virtual host that cannot be part of topic names',
      suffix: 'bad%20vhost',
      names: 'virtual host "bad vhost"',
    },
    { what: 'an option that does not exist', suffix: '?kafka_commit_mod=after', names: 'kafka_commit_mode' },
    {
      what: 'a mechanism that does not exist',
      suffix: '?security_protocol=SASL_SSL&sasl_mechanism=GSSAPI',
      names: 'SCRAM-SHA-512',
    },
    {
      what: 'SASL without a user',
      suffix: '?security_protocol=SASL_PLAINTEXT',
      names: 'kafka://user:password@host:port/',
    },
  ])('$what - when the transport is built, by name', async ({ suffix, names }) => {
    const error = await reason(
      async () => await getNotificationTransport(await loadConfig(), { url: url + suffix, registry }),
    )
    expect(error).toMatchObject({ code: expect.stringMatching(/_(CONFIGURATION|INVALID_URL)$/) as string })
    expect((error as Error).message).toContain(names)
  })
})
