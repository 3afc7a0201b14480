import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { inspect } from 'node:util'
import { type Admin, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'
import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  type NotificationArguments,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { createDeferred, type Driver, isMessagingError } from '@oslo-messaging/core/driver'
import { createKafkaDriver, type KafkaDriverOptions } from '../../src/index.ts'
import { unique, withAdmin } from '../support/broker.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { listen, openReal, type Options, recordingLogger, send } from '../support/open-driver.ts'
import { setScramPassword } from '../support/scram.ts'
import { bearerLogin, unsignedToken } from '../support/tokens.ts'

const PASSWORD = 'alice-s3cret/+%'
const SHORT_SESSION_MS = 60_000
const jaas = (module: string, users = ''): string => `org.apache.kafka.common.security.${module} required${users};`

const guide = readFileSync(new URL('../../../../docs/kafka-deployment-guide.md', import.meta.url), 'utf8')
/** The configuration files of the guide's chapter on security, by protocol. */
const recipes = (['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'] as const).map((protocol) => {
  const [, text = ''] =
    new RegExp(`\`\`\`ini\\n([^\`]*security_protocol = ${protocol}\\n[^\`]*)\`\`\``).exec(guide) ?? []
  return { protocol, text }
})

/** Ports of the listeners beside the one for everybody. */
interface Ports {
  readonly sasl: number
  /** SASL with PLAIN and nothing else. */
  readonly onlyPlain: number
  /** Wants a client certificate. */
  readonly tls: number
  readonly both: number
}

async function start(version: string, ports: Ports, certificates: Certificates): Promise<KafkaBroker> {
  const plain = jaas(
    'plain.PlainLoginModule',
    ` user_alice="${PASSWORD}" user_bob="bob-secret" user_carol="carol-secret"`,
  )
  const scram = jaas('scram.ScramLoginModule')
  const sasl = ['sasl_plaintext', 'sasl_tls'].flatMap((name) => [
    [`listener.name.${name}.plain.sasl.jaas.config`, plain],
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
    [`listener.name.${name}.oauthbearer.sasl.jaas.config`, bearerLogin],
  ])
  return await startBroker('kafka', {
    version,
    listeners: [
      { name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', port: ports.sasl },
      { name: 'SASL_ONLY', protocol: 'SASL_PLAINTEXT', port: ports.onlyPlain },
      { name: 'TLS', protocol: 'SSL', port: ports.tls },
      { name: 'SASL_TLS', protocol: 'SASL_SSL', port: ports.both },
    ],
    config: {
      ...(Object.fromEntries(sasl) as Record<string, string>),
      'listener.name.sasl_only.plain.sasl.jaas.config': plain,
      'listener.name.sasl_only.sasl.enabled.mechanisms': 'PLAIN',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.path('server.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.path('ca.crt'),
      'listener.name.tls.ssl.client.auth': 'required',
      'ssl.principal.mapping.rules': 'RULE:^CN=(.*?)$/$1/',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:alice;User:client;User:app',
      'group.max.session.timeout.ms': String(SHORT_SESSION_MS),
    },
  })
}

const user = `alice:${encodeURIComponent(PASSWORD)}@`

/** Who may connect and do what, and how a refusal looks to our user: four protocols, certificates, tokens, permissions. */
export async function describeSecurity(version: string): Promise<void> {
  const certificates = await makeCertificates()
  const [sasl = 0, onlyPlain = 0, tls = 0, both = 0] = await freePorts(4)
  const ports = { sasl, onlyPlain, tls, both }
  const broker = await skipOrFail(start(version, ports, certificates))
  describe.skipIf(broker === undefined)(`kafka ${version} security`, () => {
    if (broker === undefined) return
    afterAll(async () => {
      await broker.close()
      await certificates[Symbol.asyncDispose]()
    })
    securityTests(broker, ports, certificates)
  })
}

function securityTests(broker: KafkaBroker, ports: Ports, certificates: Certificates): void {
  const { sasl: saslPort, onlyPlain: onlyPlainPort, tls: tlsPort, both: bothPort } = ports
  const ca = { ssl_cafile: certificates.path('ca.crt') }
  const clientCertificate = {
    ssl_client_cert_file: certificates.path('client.crt'),
    ssl_client_key_file: certificates.path('client.key'),
  }

  async function roundTrip(url: string, options: Options, extras: KafkaDriverOptions = {}): Promise<void> {
    const driver = await openReal(url, { options, ...extras })
    try {
      const topic = unique('secure')
      const received = await listen(driver, topic, { pool: unique('pool') })
      await send(driver, `${topic}.info`, 'secret message')
      await received.until(1)
    } finally {
      await driver.close()
    }
  }

  async function refusal(url: string, options: Options): Promise<Error> {
    const logger = recordingLogger()
    const driver = await openReal(url, { options, logger })
    const error: unknown = await send(driver, `${unique('refused')}.info`, 1, { timeoutMs: 15_000 }).catch(
      (reason: unknown) => reason,
    )
    const printed =
      inspect([error, logger.lines, driver, driver.health()], { depth: 20 }) + JSON.stringify(logger.lines)
    await driver.close()
    expect(printed).not.toContain(PASSWORD)
    expect(printed).not.toContain('wrong-secret')
    if (!isMessagingError(error)) throw error
    return error
  }

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('SASL_PLAINTEXT with %s', async (sasl_mechanism) => {
    await setScramPassword(broker.ports[0] ?? 0, 'alice', PASSWORD)
    await roundTrip(`kafka://${user}127.0.0.1:${saslPort}/`, { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism })
  })

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('SASL_SSL with %s', async (sasl_mechanism) => {
    await setScramPassword(broker.ports[0] ?? 0, 'alice', PASSWORD)
    await roundTrip(`kafka://${user}localhost:${bothPort}/`, { security_protocol: 'SASL_SSL', sasl_mechanism, ...ca })
  })

  it('SSL with a client certificate', async () => {
    await roundTrip(`kafka://127.0.0.1:${tlsPort}/`, { security_protocol: 'SSL', ...ca, ...clientCertificate })
  })

  it('SSL with a client key that has a password', async () => {
    await roundTrip(`kafka://127.0.0.1:${tlsPort}/`, {
      security_protocol: 'SSL',
      ...ca,
      ...clientCertificate,
      ssl_client_key_file: certificates.path('locked.key'),
      ssl_client_key_password: 'key-secret',
    })
  })

  it.each(recipes)('the recipe of the deployment guide for $protocol', async ({ protocol, text }) => {
    await setScramPassword(broker.ports[0] ?? 0, 'alice', PASSWORD)
    const port = { PLAINTEXT: broker.ports[0], SASL_PLAINTEXT: saslPort, SSL: tlsPort, SASL_SSL: bothPort }[protocol]
    const file = join(certificates.folder, `${protocol}.conf`)
    await writeFile(
      file,
      text
        .replaceAll('/etc/kafka/ca.pem', certificates.path('ca.crt'))
        .replaceAll('/etc/kafka/nova.pem', certificates.path('client.crt'))
        .replaceAll('/etc/kafka/nova.key', certificates.path('locked.key'))
        .replace('ssl_client_key_password = secret', 'ssl_client_key_password = key-secret'),
    )
    const credentials = protocol.startsWith('SASL') ? user : ''
    await using bus = await getNotificationTransport(await loadConfig({ files: [file] }), {
      url: `kafka://${credentials}127.0.0.1:${port}/`,
      registry: createDriverRegistry({ drivers: [createKafkaDriver()] }),
    })
    const topic = unique('recipe')
    const got = createDeferred<unknown>()
    const endpoint = { info: (...[, , , payload]: NotificationArguments) => got.resolve(payload) }
    await using listener = getNotificationListener(bus, [new Target({ topic })], [endpoint], { pool: unique('pool') })
    await listener.start()
    await new Notifier(bus, { driver: 'messagingv2', topics: [topic] }).info({}, 'demo.event', { protocol })
    expect(await got.promise).toEqual({ protocol })
  })

  it('OAUTHBEARER with a token callback', async () => {
    let asked = 0
    await roundTrip(
      `kafka://127.0.0.1:${saslPort}/`,
      { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'OAUTHBEARER' },
      {
        oauthBearerToken: async () => {
          asked += 1
          return await Promise.resolve({ value: unsignedToken(60_000) })
        },
      },
    )
    expect(asked).toBeGreaterThan(0)
  })

  it('OAUTHBEARER with tokens that expire - new ones are asked for in time, and nothing fails', async () => {
    let asked = 0
    const driver = await openReal(`kafka://127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'OAUTHBEARER' },
      oauthBearerToken: async () => {
        asked += 1
        return await Promise.resolve({ value: unsignedToken(12_000) })
      },
    })
    const topic = unique('expiring')
    const received = await listen(driver, topic, { pool: unique('pool') })
    const atStart = asked
    let sent = 0
    for (const until = Date.now() + 15_000; Date.now() < until; sent += 1) {
      await send(driver, `${topic}.info`, sent)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await received.until(sent)
    expect(received.payloads).toEqual(Array.from({ length: sent }, (_, n) => n))
    expect(asked).toBeGreaterThan(atStart)
    await driver.close()
  })

  it('OAUTHBEARER without a token callback - an error when the transport is built, with the remedy', async () => {
    await expect(
      openReal(`kafka://127.0.0.1:${saslPort}/`, {
        options: { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'OAUTHBEARER' },
      }),
    ).rejects.toThrow(/createKafkaDriver\(\{ oauthBearerToken \}\)/)
  })

  it.each([
    {
      row: 'wrong password',
      url: `kafka://alice:wrong-secret@127.0.0.1:${saslPort}/`,
      options: { sasl_mechanism: 'PLAIN' },
    },
    {
      row: 'unknown user',
      url: `kafka://nobody:wrong-secret@127.0.0.1:${saslPort}/`,
      options: { sasl_mechanism: 'PLAIN' },
    },
    {
      row: 'wrong password, SCRAM',
      url: `kafka://alice:wrong-secret@127.0.0.1:${saslPort}/`,
      options: { sasl_mechanism: 'SCRAM-SHA-256' },
    },
  ])('error row: $row - AuthenticationError at once, no secret printed', async ({ url, options }) => {
    const since = performance.now()
    const error = await refusal(url, { security_protocol: 'SASL_PLAINTEXT', ...options })
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', delivery: 'not-sent', phase: 'connect' })
    expect(performance.now() - since).toBeLessThan(10_000)
  })

  it('P11 wrong password - listen rejects with AuthenticationError before the deadline', async () => {
    const driver = await openReal(`kafka://alice:wrong-secret@127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT' },
    })
    await expect(listen(driver, unique('refused'))).rejects.toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION' })
    await driver.close()
  })

  it('error row: mechanism not enabled - AuthenticationError that names the option', async () => {
    const error = await refusal(`kafka://${user}127.0.0.1:${onlyPlainPort}/`, {
      security_protocol: 'SASL_PLAINTEXT',
      sasl_mechanism: 'SCRAM-SHA-256',
    })
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'UNSUPPORTED_SASL_MECHANISM' })
    expect(error.message).toContain('sasl_mechanism')
  })

  it.each([
    {
      row: 'TLS: unknown CA',
      options: { ssl_cafile: certificates.path('other-ca.crt'), ...clientCertificate },
      brokerCode: /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
      names: 'ssl_cafile',
    },
    {
      row: 'TLS: no client certificate',
      options: ca,
      brokerCode: /^ERR_SSL_.*ALERT/,
      names: 'ssl_client_cert_file',
    },
  ])('trap 7, error row: $row - typed, not retried for ever', async ({ options, brokerCode, names }) => {
    const error = await refusal(`kafka://127.0.0.1:${tlsPort}/`, { security_protocol: 'SSL', ...options })
    expect(error).toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      retryable: false,
      brokerCode: expect.stringMatching(brokerCode) as string,
    })
    expect(error.message).toContain(names)
  })

  it('trap 7, error row: TLS: wrong host name - typed, for sending and listening', async () => {
    // The certificate names localhost and 127.0.0.1; this is the same port by another address.
    const forward = net.createServer((socket) => {
      const onward = net.connect(tlsPort, '127.0.0.1')
      pipeline(socket, onward, socket, () => {})
    })
    forward.listen(0, '127.0.0.2')
    await once(forward, 'listening')
    const { port } = forward.address() as AddressInfo
    const url = `kafka://127.0.0.2:${port}/`
    const options = { security_protocol: 'SSL', ...ca, ...clientCertificate }
    const expected = { code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    const error = await refusal(url, options)
    expect(error).toMatchObject(expected)
    expect(error.message).toContain('names in the broker certificate')
    const driver = await openReal(url, { options })
    await expect(listen(driver, unique('refused'))).rejects.toMatchObject(expected)
    await driver.close()
    forward.close()
  })

  it.each([
    { row: 'TLS to plaintext', at: 'plain', options: { security_protocol: 'SSL' }, speaks: 'neither TLS nor SASL' },
    {
      row: 'SASL with TLS to plaintext',
      at: 'plain',
      options: { security_protocol: 'SASL_SSL' },
      speaks: 'neither TLS nor SASL',
    },
    { row: 'TLS to SASL', at: 'sasl', options: { security_protocol: 'SSL' }, speaks: 'wants SASL and does not' },
    { row: 'plaintext to TLS', at: 'tls', options: {}, speaks: 'speaks TLS' },
    { row: 'SASL to TLS', at: 'tls', options: { security_protocol: 'SASL_PLAINTEXT' }, speaks: 'speaks TLS' },
    { row: 'TLS to SASL with TLS', at: 'both', options: { security_protocol: 'SSL' }, speaks: 'TLS and wants SASL' },
    { row: 'trap 6, no SASL to SASL', at: 'sasl', options: {}, speaks: 'wants SASL and does not' },
  ] as const)(
    'error row: $row - both sides reject at once with what the port speaks, instead of retrying for ever',
    async ({ at, options: chosen, speaks }) => {
      const port = at === 'plain' ? broker.ports[0] : ports[at]
      const options: Options =
        'security_protocol' in chosen && chosen.security_protocol.endsWith('SSL') ? { ...chosen, ...ca } : chosen
      const url = `kafka://${user}127.0.0.1:${port}/`
      const since = performance.now()
      const error = await refusal(url, options)
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'SecurityProtocolMismatch' })
      expect(error.message).toContain(speaks)
      expect(error.message).toContain(`127.0.0.1:${port}`)
      const driver = await openReal(url, { options })
      await expect(listen(driver, unique('refused'), { timeoutMs: 15_000 })).rejects.toMatchObject({
        code: 'OSLO_MESSAGING_AUTHENTICATION',
        brokerCode: 'SecurityProtocolMismatch',
      })
      await driver.close()
      expect(performance.now() - since).toBeLessThan(10_000)
    },
  )

  it('error row: SASL to a plaintext listener - AuthenticationError', async () => {
    const error = await refusal(`kafka://${user}127.0.0.1:${broker.ports[0]}/`, { security_protocol: 'SASL_PLAINTEXT' })
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'ILLEGAL_SASL_STATE' })
  })

  it('error row: session timeout outside what the broker allows - listen rejects and names the option', async () => {
    const driver = await openReal(broker.url, { options: { kafka_session_timeout: (2 * SHORT_SESSION_MS) / 1000 } })
    const error: unknown = await listen(driver, unique('session')).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ brokerCode: 'INVALID_SESSION_TIMEOUT', retryable: false })
    expect((error as Error).message).toContain('kafka_session_timeout')
    await driver.close()
  })

  type Rule = Parameters<Admin['createAcls']>[0]['acl'][number]

  const ruleFor = (who: string, facts: Pick<Rule, 'resourceType' | 'resourceName' | 'operation'>): Rule => ({
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${who}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    ...facts,
  })

  async function allow(...acl: Rule[]): Promise<void> {
    await withAdmin(broker, async (admin) => await admin.createAcls({ acl }))
  }

  const onTopic = (who: string, name: string, operation = AclOperationTypes.ALL): Rule =>
    ruleFor(who, { resourceType: AclResourceTypes.TOPIC, resourceName: name, operation })
  const onGroup = (who: string, name: string): Rule =>
    ruleFor(who, { resourceType: AclResourceTypes.GROUP, resourceName: name, operation: AclOperationTypes.ALL })

  /** Tries until the broker acts on its rules; the last outcome. */
  async function whenAllowed<T>(attempt: () => Promise<T>): Promise<T> {
    for (const until = Date.now() + 5000; ;) {
      try {
        return await attempt()
      } catch (error) {
        if (Date.now() > until) throw error
      }
    }
  }

  const openAs = async (who: string): Promise<Driver> =>
    await openReal(`kafka://${who}:${who}-secret@127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT' },
    })
  const TOPIC_DENIED = { code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'TOPIC_AUTHORIZATION_FAILED' }

  it('error row: no topic ACL - AuthenticationError for that topic only', async () => {
    const driver = await openAs('bob')
    const open = unique('open')
    await broker.createTopics([`${open}.info`])
    await allow(onTopic('bob', `${open}.info`))
    await whenAllowed(async () => await send(driver, `${open}.info`, 0))
    const [allowed, denied] = await Promise.allSettled([
      send(driver, `${open}.info`, 1),
      send(driver, `${unique('closed')}.info`, 1),
    ])
    expect(allowed).toEqual({ status: 'fulfilled', value: undefined })
    expect((denied as PromiseRejectedResult).reason).toMatchObject(TOPIC_DENIED)
    await expect(listen(driver, unique('closed'))).rejects.toMatchObject(TOPIC_DENIED)
    await driver.close()
  })

  it('error row: no topic ACL but DESCRIBE - sending rejects, and so does listening once it has joined', async () => {
    const driver = await openAs('bob')
    const topic = unique('described')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`, AclOperationTypes.DESCRIBE), onGroup('bob', pool))
    await expect(send(driver, `${topic}.info`, 1)).rejects.toMatchObject({ ...TOPIC_DENIED, delivery: 'not-sent' })
    const ending = (async () => (await listen(driver, topic, { pool })).listener.closed)()
    await expect(ending).rejects.toMatchObject(TOPIC_DENIED)
    await driver.close()
  })

  it('error row: create topics refused - sending to a missing topic rejects', async () => {
    const driver = await openAs('bob')
    const topic = unique('uncreated')
    await allow(
      onTopic('bob', `${topic}.info`, AclOperationTypes.WRITE),
      onTopic('bob', `${topic}.info`, AclOperationTypes.DESCRIBE),
    )
    const error: unknown = await send(driver, `${topic}.info`, 1, { timeoutMs: 20_000 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({
      brokerCode: expect.stringMatching(/^(TOPIC_AUTHORIZATION_FAILED|UNKNOWN_TOPIC_OR_PARTITION)$/) as string,
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('error row: idempotent without ACL - what the user lacks is said, and it is not the idempotence', async () => {
    const driver = await openAs('carol')
    await expect(send(driver, `${unique('closed')}.info`, 1)).rejects.toMatchObject({
      ...TOPIC_DENIED,
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('error row: no group ACL - listen rejects with AuthenticationError', async () => {
    const driver = await openAs('bob')
    const topic = unique('open')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`))
    await whenAllowed(async () => await send(driver, `${topic}.info`, 0))
    await expect(listen(driver, topic, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'GROUP_AUTHORIZATION_FAILED',
    })
    await driver.close()
  })

  it('P11 a permission is taken away from a listener at work - closed rejects, typed, and health says failed', async () => {
    const driver = await openAs('bob')
    const topic = unique('taken')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`), onGroup('bob', pool))
    const received = await whenAllowed(async () => await listen(driver, topic, { pool }))
    await send(driver, `${topic}.info`, 1)
    await received.until(1)
    const since = performance.now()
    await withAdmin(broker, async (admin) => {
      const { resourceName, ...rule } = onTopic('bob', `${topic}.info`)
      await admin.deleteAcls({ filters: [{ ...rule, resourceName }] })
    })
    await expect(received.listener.closed).rejects.toMatchObject(TOPIC_DENIED)
    expect(performance.now() - since).toBeLessThan(30_000)
    expect(driver.health()).toMatchObject({ status: 'failed' })
    await driver.close()
  })
}
