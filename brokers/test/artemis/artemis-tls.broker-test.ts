import { readFile } from 'node:fs/promises'
import tls, { type ConnectionOptions } from 'node:tls'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { ArtemisTls } from '../../src/artemis/artemis-broker.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

const artemis = await skipOrFail(startBroker('artemis', { tls: true }))
afterAll(() => artemis?.close())

/** First bytes of the broker's answer to the SASL header, over TLS. */
function helloOver(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', ...options })
    socket.on('secureConnect', () => socket.write(Buffer.from('AMQP\x03\x01\x00\x00', 'latin1')))
    socket.on('data', (data) => {
      socket.destroy()
      resolve(data.subarray(0, 4).toString('latin1'))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed without an answer')))
  })
}

describe.skipIf(artemis === undefined)('Artemis with TLS', () => {
  let own: ArtemisTls
  let ca: Buffer
  beforeAll(async () => {
    own = artemis?.tls as ArtemisTls
    ca = await readFile(own.certificates.ca)
  })

  it('is who it says, for clients that trust its authority', async () => {
    await expect(helloOver({ port: own.port, ca })).resolves.toBe('AMQP')
    await expect(helloOver({ port: own.port })).rejects.toThrow(/self-signed certificate/)
  })

  it('asks for a certificate on one port', async () => {
    const [cert, key] = await Promise.all(
      [own.certificates.clientCert, own.certificates.clientKey].map((file) => readFile(file)),
    )
    await expect(helloOver({ port: own.mutualPort, ca, cert, key })).resolves.toBe('AMQP')
    await expect(helloOver({ port: own.mutualPort, ca })).rejects.toThrow()
  })

  it('is another host on one port', async () => {
    await expect(helloOver({ port: own.otherHostPort, ca })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })
})
