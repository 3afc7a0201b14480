import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { freePorts, type KafkaBroker, skipOrFail } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  loadConfig,
  type NotificationArguments,
  Notifier,
  Target,
} from '@oslo-messaging/core'
import { createDeferred, isMessagingError } from '@oslo-messaging/core/driver'
import { createKafkaDriver, type KafkaDriverOptions } from '../../src/index.ts'
import { unique } from '../support/broker.ts'
import { type Certificates, makeCertificates } from '../support/certificates.ts'
import { listen, openReal, type Options, recordingLogger, send } from '../support/open-driver.ts'
import { setScramPassword } from '../support/scram.ts'
import { PASSWORD, type Ports, SHORT_SESSION_MS, startSecure } from '../support/secure-broker.ts'
import { unsignedToken } from '../support/tokens.ts'
import { permissionTests } from './permissions.ts'

const guide = readFileSync(new URL('../../../../docs/kafka-deployment-guide.md', import.meta.url), 'utf8')
/** The configuration files of the guide's chapter on security, by protocol. */
const recipes = (['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'] as const).map((protocol) => {
  const [, text = ''] =
    new RegExp(`\`\`\`ini\\n([^\`]*security_protocol = ${protocol}\\n[^\`]*)\`\`\``).exec(guide) ?? []
  return { protocol, text }
})

const user = `alice:${encodeURIComponent(PASSWORD)}@`

/** Who may connect and do what, and how a refusal looks to our user: four protocols, certificates, tokens,
 *  permissions. */
export async function describeSecurity(version: string): Promise<void> {
  const certificates = await makeCertificates()
  const [sasl = 0, onlyPlain = 0, tls = 0, both = 0] = await freePorts(4)
  const ports = { sasl, onlyPlain, tls, both }
  const broker = await skipOrFail(startSecure(version, ports, certificates))
  describe.skipIf(broker === undefined)(`kafka ${version} security`, () => {
    if (broker === undefined) return
    afterAll(async () => {
      await broker.close()
      await certificates[Symbol.asyncDispose]()
    })
    securityTests(broker, ports, certificates)
    permissionTests(broker, ports.sasl)
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

  it('credentials of the application - asked for at each login, so that a password that changes needs no restart', async () => {
    const plainPort = broker.ports[0] ?? 0
    let password = 'first-secret'
    await setScramPassword(plainPort, 'alice', password)
    const asked: unknown[] = []
    const driver = await openReal(`kafka://127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'SCRAM-SHA-256' },
      credentials: (host) => {
        asked.push(host)
        return { username: 'alice', password }
      },
    })
    const topic = unique('rotated')
    await send(driver, `${topic}.info`, 'first')
    expect(asked[0]).toEqual({ hostname: '127.0.0.1', port: saslPort })
    password = 'second-secret'
    await setScramPassword(plainPort, 'alice', password)
    // A listener logs in anew.
    const received = await listen(driver, topic, { pool: unique('pool') })
    await send(driver, `${topic}.info`, 'second')
    await received.until(1)
    await driver.close()
  })

  it('credentials of the application that cannot be had - a passing failure without a word of theirs; sent when they are there', async () => {
    await setScramPassword(broker.ports[0] ?? 0, 'alice', PASSWORD)
    let isDown = true
    const driver = await openReal(`kafka://127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'PLAIN' },
      credentials: async () => {
        if (isDown) throw new Error('token hunter2')
        return await Promise.resolve({ username: 'alice', password: PASSWORD })
      },
    })
    const topic = unique('vault')
    const sending = send(driver, `${topic}.info`, 1, { timeoutMs: 30_000 })
    await expect
      .poll(() => JSON.stringify(driver.health()), { timeout: 10_000 })
      .toContain('No credentials for 127.0.0.1')
    expect(JSON.stringify(driver.health())).not.toContain('hunter2')
    isDown = false
    await sending
    await driver.close()
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

  it.each(['PLAIN', 'SCRAM-SHA-256'])(
    'P11 the connection ends in the middle of a %s login - that says nothing about the password: both sides try again',
    async (sasl_mechanism) => {
      await setScramPassword(broker.ports[0] ?? 0, 'alice', PASSWORD)
      const cut = await cutLogins(saslPort, 2)
      const url = `kafka://${user}127.0.0.1:${cut.port}/`
      const options = { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism }
      const topic = unique('cut')
      const sender = await openReal(url, { options })
      await send(sender, `${topic}.info`, 'first', { timeoutMs: 15_000 })
      expect(cut.left).toBe(0)
      cut.left = 2
      const listening = await openReal(url, { options })
      const received = await listen(listening, topic, { pool: unique('pool') })
      expect(cut.left).toBe(0)
      await send(sender, `${topic}.info`, 'second')
      await received.until(1)
      await Promise.all([sender.close(), listening.close()])
      await cut.close()
    },
  )

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
}

/** A port that leads to `to`, and ends the first connections in the middle of their login, without an answer. */
async function cutLogins(to: number, count: number) {
  const SASL_AUTHENTICATE = 36
  const open = new Set<net.Socket>()
  const state = { left: count, port: 0, close: async (): Promise<void> => await Promise.resolve() }
  const server = net.createServer((socket) => {
    const onward = net.connect(to, '127.0.0.1')
    for (const each of [socket, onward]) {
      open.add(each)
      each.on('error', () => {})
      each.on('close', () => {
        open.delete(each)
        socket.destroy()
        onward.destroy()
      })
    }
    onward.pipe(socket)
    socket.on('data', (data: Buffer) => {
      if (state.left > 0 && data.length > 6 && data.readInt16BE(4) === SASL_AUTHENTICATE) {
        state.left -= 1
        socket.end()
      } else onward.write(data)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.port = (server.address() as AddressInfo).port
  state.close = async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return state
}
