/// <reference lib="esnext.disposable" />
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { createDeferred } from '@oslo-messaging/core/driver'
import { afterAll, describe, expect, it } from 'vitest'
import { unique } from './support/ours.ts'

const PAGE = fileURLToPath(new URL('../../docs/operations/security.md', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'tls-recipes-'))
const at = (name: string): string => path.join(folder, name)

interface Files {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** The service.conf of the page for the scheme, with this run's place and files in it. */
function recipe(scheme: string, url: string, { ca, cert, key }: Files): string {
  const section = readFileSync(PAGE, 'utf8').split('## TLS')[1] ?? ''
  const blocks = [...section.matchAll(/```ini\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  const found = blocks.find((text) => text.includes(`transport_url = ${scheme}://`))
  if (found === undefined) throw new Error(`${PAGE} has no recipe for ${scheme}`)
  const text = found
    .replace(/transport_url = .*/, `transport_url = ${url}`)
    .replace('/etc/ssl/broker-ca.pem', ca)
    .replace('/etc/ssl/service.pem', cert)
    .replace('/etc/ssl/service.key', key)
  if (text.includes('/etc/ssl/') || text.includes('broker.example')) throw new Error(`${scheme}: ${text}`)
  const file = at(`${unique(scheme)}.conf`)
  writeFileSync(file, text)
  return file
}

/** A call and its answer by the file. */
async function calls(file: string): Promise<void> {
  await using messaging = await getMessaging({ configFiles: [file], argv: [] })
  const topic = unique('tls')
  messaging.server({ topic, server: 's' }, { ping: () => 'pong' })
  await messaging.start()
  expect(await messaging.client({ topic }).call({}, 'ping', {}, { timeoutMs: 30_000 })).toBe('pong')
}

/** A notification by the file, and a listener by the same file that takes it. */
async function notifies(file: string): Promise<void> {
  await using messaging = await getMessaging({ configFiles: [file], argv: [] })
  const topic = unique('tls')
  const got = createDeferred<unknown>()
  messaging.listener([{ topic }], [{ info: (_ctxt, _publisher, _event, payload) => got.resolve(payload) }])
  await messaging.start()
  const notifier = messaging.notifier({ topics: [topic], publisherId: 'tls' })
  await notifier.info({}, 'e', { over: 'TLS' }, { timeoutMs: 30_000 })
  await expect(got.promise).resolves.toEqual({ over: 'TLS' })
}

/** A broker that another authority signed gets no login. */
async function refuses(file: string): Promise<void> {
  await using messaging = await getMessaging({ configFiles: [file], argv: [] })
  const notifier = messaging.notifier({ topics: [unique('tls')], publisherId: 'tls' })
  await expect(notifier.info({}, 'e', {}, { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'OSLO_MESSAGING_AUTHENTICATION',
  })
}

async function start() {
  const artemis = await startBroker('artemis', { tls: true })
  if (artemis.tls === undefined) throw new Error('Artemis was asked for TLS')
  // One authority for the three brokers.
  const { ca, clientCert, clientKey } = artemis.tls.certificates
  const of = (name: string): string => path.join(path.dirname(ca), name)
  const rabbitFiles = ['ca.pem', 'server.pem', 'server.key']
  // RabbitMQ may run as another user.
  for (const name of rabbitFiles) writeFileSync(at(name), readFileSync(of(name)))
  writeFileSync(
    at('server-all.pem'),
    ['server.key', 'server.pem', 'ca.pem'].map((name) => readFileSync(of(name), 'utf8')).join(''),
  )
  execFileSync('chmod', ['-R', 'a+rX', folder])
  const [rabbitPort = 0, kafkaPort = 0] = await freePorts(2)
  const [rabbit, kafka] = await Promise.all([
    startBroker('rabbit', {
      config: {
        'listeners.ssl.1': `127.0.0.1:${rabbitPort}`,
        'ssl_options.cacertfile': at('ca.pem'),
        'ssl_options.certfile': at('server.pem'),
        'ssl_options.keyfile': at('server.key'),
        'ssl_options.verify': 'verify_peer',
        'ssl_options.fail_if_no_peer_cert': 'true',
      },
    }),
    startBroker('kafka', {
      listeners: [{ name: 'TLS', protocol: 'SSL', port: kafkaPort }],
      config: {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': at('server-all.pem'),
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': at('ca.pem'),
        'listener.name.tls.ssl.client.auth': 'required',
      },
    }),
  ])
  const files: Files = { ca, cert: clientCert, key: clientKey }
  const places = {
    rabbit: rabbit.urlFor({ via: [{ host: 'localhost', port: rabbitPort }] }),
    amqp: `amqp://app:secret@localhost:${artemis.tls.mutualPort}/`,
    kafka: `kafka://localhost:${kafkaPort}/`,
  }
  return { files, places, close: async () => await Promise.all([artemis.close(), rabbit.close(), kafka.close()]) }
}

const started = await skipOrFail(start())

describe.skipIf(started === undefined)('the TLS files of docs/operations/security.md', () => {
  if (started === undefined) return
  const { files, places } = started
  afterAll(async () => {
    await started.close()
    rmSync(folder, { recursive: true })
  })

  it.each(['rabbit', 'amqp'] as const)('%s: calls are answered', async (scheme) => {
    await calls(recipe(scheme, places[scheme], files))
  })

  it.each(['rabbit', 'amqp', 'kafka'] as const)('%s: notifications arrive', async (scheme) => {
    await notifies(recipe(scheme, places[scheme], files))
  })

  it.each(['rabbit', 'amqp', 'kafka'] as const)('%s: a broker of another authority gets no login', async (scheme) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('stranger.key')]
    execFileSync(
      'openssl',
      ['req', '-x509', ...key, '-subj', '/CN=stranger', '-days', '2', '-out', at('stranger.pem')],
      {
        stdio: 'pipe',
      },
    )
    await refuses(recipe(scheme, places[scheme], { ...files, ca: at('stranger.pem') }))
  })
})
