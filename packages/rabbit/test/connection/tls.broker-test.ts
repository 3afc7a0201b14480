import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { freePorts, type RabbitBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { Deadline, Target } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import type { RabbitOptions } from '../../src/config.ts'
import { openReal, unique } from '../support/broker.ts'
import { rejection } from '../support/load.ts'
import { castOptions } from '../support/open-driver.ts'

const folder = mkdtempSync(join(tmpdir(), 'rabbit-tls-'))
const file = (name: string): string => join(folder, name)

/** A certificate signed by the authority of this run. */
function certificate(name: string, subject: string, extensions: string): void {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`]
  if (name === 'ca' || name === 'stranger') {
    openssl('req', '-x509', ...key, '-subj', `/CN=${subject}`, '-days', '2', '-out', `${name}.pem`)
    return
  }
  openssl('req', ...key, '-subj', `/CN=${subject}`, '-out', `${name}.csr`)
  writeFileSync(file(`${name}.ext`), extensions)
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  )
}

async function start(): Promise<{ broker: RabbitBroker; good: number }> {
  certificate('ca', 'test authority', '')
  certificate('stranger', 'another authority', '')
  certificate('server', 'localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  certificate('client', 'guest', 'extendedKeyUsage=clientAuth\n')
  certificate('other', 'other', 'subjectAltName=DNS:other.example\nextendedKeyUsage=serverAuth\n')
  // The broker may run as another user.
  execFileSync('chmod', ['-R', 'a+rX', folder])
  const [good = 0] = await freePorts(1)
  const broker = await startBroker('rabbit', {
    plugins: ['rabbitmq_auth_mechanism_ssl'],
    config: {
      'listeners.ssl.1': `127.0.0.1:${good}`,
      'ssl_options.cacertfile': file('ca.pem'),
      'ssl_options.certfile': file('server.pem'),
      'ssl_options.keyfile': file('server.key'),
      'ssl_options.verify': 'verify_peer',
      'ssl_options.fail_if_no_peer_cert': 'true',
      'auth_mechanisms.1': 'PLAIN',
      'auth_mechanisms.2': 'AMQPLAIN',
      'auth_mechanisms.3': 'EXTERNAL',
      ssl_cert_login_from: 'common_name',
    },
  })
  return { broker, good }
}

const started = await skipOrFail(start())

describe.skipIf(started === undefined)('TLS', () => {
  if (started === undefined) return
  const { broker, good } = started
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const mutual = {
    ssl: true,
    ssl_ca_file: file('ca.pem'),
    ssl_cert_file: file('client.pem'),
    ssl_key_file: file('client.key'),
  }

  async function send(host: string, options: Partial<RabbitOptions>, port = good): Promise<void> {
    const driver = openReal(`rabbit://guest:guest@${host}:${port}/`, { options })
    try {
      const deadline = Deadline.after(10_000)
      await driver.send(
        new Target({ topic: unique('t') }),
        { context: {}, message: { method: 'm', args: {} } },
        { ...castOptions(), deadline },
      )
    } finally {
      await driver.close()
    }
  }

  it.each(['localhost', '127.0.0.1'])(
    'P30 - connects to %s with both sides verified',
    async (host) => await send(host, mutual),
  )

  it.each(['PLAIN', 'AMQPLAIN', 'EXTERNAL'] as const)(
    'logs in with %s',
    async (rabbit_login_method) => await send('localhost', { ...mutual, rabbit_login_method }),
  )

  it('takes the protocol version asked for', async () => await send('localhost', { ...mutual, ssl_version: 'TLSv1_2' }))

  it('P30 - refuses a certificate of an unknown authority, at once and for good', async () => {
    const error = await rejection(send('localhost', { ...mutual, ssl_ca_file: file('stranger.pem') }))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', retryable: false })
    expect(error.message).toMatch(/certificate/)
  })

  describe('behind a certificate that names another host', () => {
    // TLS ends here and goes on to the broker in the clear, so that only the name is wrong.
    const front = createServer(
      { cert: readFileSync(file('other.pem')), key: readFileSync(file('other.key')) },
      (socket) => {
        const behind = connectPlain(broker.ports[0] ?? 0, '127.0.0.1')
        socket.on('error', () => behind.destroy())
        behind.on('error', () => socket.destroy())
        socket.pipe(behind).pipe(socket)
      },
    )
    const port = new Promise<number>((resolve) => {
      front.listen(0, '127.0.0.1', () => {
        const address = front.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    afterAll(() => void front.close())

    it('P30 - is refused by default', async () => {
      const error = await rejection(send('localhost', mutual, await port))
      expect(error).toMatchObject({ code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })

    it('is taken when ssl_enforce_hostname_verification is off, or ssl_unverified says that nothing is verified', async () => {
      await send('localhost', { ...mutual, ssl_enforce_hostname_verification: false }, await port)
      await send('localhost', { ssl: true, ssl_unverified: true }, await port)
    })

    it('P30 - is passed over for a host of the list whose own certificate is right', async () => {
      const driver = openReal(`rabbit://guest:guest@localhost:${await port},guest:guest@localhost:${good}/`, {
        options: mutual,
      })
      await driver.send(
        new Target({ topic: unique('t') }),
        { context: {}, message: { method: 'm', args: {} } },
        castOptions(),
      )
      expect(driver.health().components[0]?.host).toBe(`localhost:${good}`)
      await driver.close()
    })
  })

  it('without a certificate of its own it is refused when the broker wants one', async () => {
    const error = await rejection(send('localhost', { ssl: true, ssl_ca_file: file('ca.pem') }))
    expect(error).toMatchObject({ code: expect.stringMatching(/AUTHENTICATION|TIMEOUT/) as string })
  })
})
