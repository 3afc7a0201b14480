import { inspect } from 'node:util'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'
import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, type KafkaBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { type Driver, isMessagingError } from '@oslo-messaging/core/driver'
import type { KafkaDriverOptions } from '../src/index.ts'
import { sharedKafka, unique, withAdmin } from './support/broker.ts'
import { makeCertificates } from './support/certificates.ts'
import { listen, openReal, type Options, recordingLogger, send } from './support/open-driver.ts'
import { setScramPassword } from './support/scram.ts'

const available = (await sharedKafka()) !== undefined
const certificates = await makeCertificates()
const [saslPort = 0, tlsPort = 0, bothPort = 0] = await freePorts(3)
const PASSWORD = 'alice-s3cret/+%'
const jaas = (module: string, users = ''): string => `org.apache.kafka.common.security.${module} required${users};`

async function start(): Promise<KafkaBroker> {
  const plain = jaas('plain.PlainLoginModule', ` user_alice="${PASSWORD}" user_bob="bob-secret"`)
  const scram = jaas('scram.ScramLoginModule')
  const bearer = jaas('oauthbearer.OAuthBearerLoginModule', ' unsecuredLoginStringClaim_sub="admin"')
  const sasl = ['sasl_plaintext', 'sasl_tls'].flatMap((name) => [
    [`listener.name.${name}.plain.sasl.jaas.config`, plain],
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
    [`listener.name.${name}.oauthbearer.sasl.jaas.config`, bearer],
  ])
  return await startBroker('kafka', {
    listeners: [
      { name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', port: saslPort },
      { name: 'TLS', protocol: 'SSL', port: tlsPort },
      { name: 'SASL_TLS', protocol: 'SASL_SSL', port: bothPort },
    ],
    config: {
      ...(Object.fromEntries(sasl) as Record<string, string>),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': certificates.path('server.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': certificates.path('ca.crt'),
      'listener.name.tls.ssl.client.auth': 'required',
      'ssl.principal.mapping.rules': 'RULE:^CN=(.*?)$/$1/',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:alice;User:client;User:app',
    },
  })
}

const broker = available ? await skipOrFail(start()) : undefined
const user = `alice:${encodeURIComponent(PASSWORD)}@`
const ca = { ssl_cafile: certificates.path('ca.crt') }
const clientCertificate = {
  ssl_client_cert_file: certificates.path('client.crt'),
  ssl_client_key_file: certificates.path('client.key'),
}

/** An unsigned token, as Kafka's development mode takes it. */
function unsignedToken(lifeMs: number): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: 'app', iat: now, exp: now + Math.ceil(lifeMs / 1000) })}.`
}

describe.skipIf(broker === undefined)('kafka security', () => {
  if (broker === undefined) return

  afterAll(async () => {
    await broker.close()
    await certificates[Symbol.asyncDispose]()
  })

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

  it.each([
    { row: 'SASL to a plaintext listener', port: 'plain', options: { security_protocol: 'SASL_PLAINTEXT' } },
    {
      row: 'TLS: unknown CA',
      port: 'tls',
      options: { ssl_cafile: certificates.path('other-ca.crt'), ...clientCertificate },
    },
    { row: 'TLS: no client certificate', port: 'tls', options: ca },
  ] as const)('error row: $row - typed, not retried for ever', async ({ port, options }) => {
    const url = `kafka://${user}127.0.0.1:${port === 'plain' ? broker.ports[0] : tlsPort}/`
    const error = await refusal(url, { security_protocol: 'SSL', ...options })
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', retryable: false })
  })

  it('trap 6, no SASL to a SASL listener - rejects at the deadline', async () => {
    const driver = await openReal(`kafka://127.0.0.1:${saslPort}/`)
    await expect(send(driver, `${unique('refused')}.info`, 1, { timeoutMs: 2000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_TIMEOUT',
      delivery: 'not-sent',
    })
    await driver.close()
  })

  /** Lets bob do anything with a topic; resolves when the broker acts on it. */
  async function allowTopic(topic: string, driver: Driver): Promise<void> {
    await broker?.createTopics([topic])
    await withAdmin({ hosts: broker?.hosts ?? [] }, async (admin) => {
      await admin.createAcls({
        acl: [
          {
            resourceType: AclResourceTypes.TOPIC,
            resourceName: topic,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: 'User:bob',
            host: '*',
            operation: AclOperationTypes.ALL,
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      })
    })
    let allowed = false
    for (const until = Date.now() + 5000; !allowed && Date.now() < until;) {
      allowed = await send(driver, topic, 0).then(
        () => true,
        () => false,
      )
    }
    expect(allowed).toBe(true)
  }

  it('error row: no topic ACL - AuthenticationError for that topic only', async () => {
    const driver = await openReal(`kafka://bob:bob-secret@127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT' },
    })
    const open = unique('open')
    await allowTopic(`${open}.info`, driver)
    const [allowed, denied] = await Promise.allSettled([
      send(driver, `${open}.info`, 1),
      send(driver, `${unique('closed')}.info`, 1),
    ])
    expect(allowed).toEqual({ status: 'fulfilled', value: undefined })
    expect((denied as PromiseRejectedResult).reason).toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'TOPIC_AUTHORIZATION_FAILED',
    })
    await expect(listen(driver, unique('closed'))).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'TOPIC_AUTHORIZATION_FAILED',
    })
    await driver.close()
  })

  it('error row: no group ACL - listen rejects with AuthenticationError', async () => {
    const driver = await openReal(`kafka://bob:bob-secret@127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT' },
    })
    const topic = unique('open')
    await allowTopic(`${topic}.info`, driver)
    await expect(listen(driver, topic, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'GROUP_AUTHORIZATION_FAILED',
    })
    await driver.close()
  })
})
