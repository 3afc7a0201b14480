import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { BrokerUnavailable } from './errors.ts'
import { findCommand, run } from './run.ts'

/** Paths of the files that `makeCertificates` wrote. */
export interface Certificates {
  /** Of the authority that signed all others. */
  readonly ca: string
  /** For a client that has to show who it is: CN=app. */
  readonly clientCert: string
  readonly clientKey: string
  /** PKCS12, password `changeit`: a server that is `localhost` and `127.0.0.1`. */
  readonly serverStore: string
  /** The same authority, for a server that is `other.example` and nothing else. */
  readonly otherHostStore: string
  /** PKCS12 with the authority alone, for a Java server that asks its clients for certificates. */
  readonly trustStore: string
}

export const STORE_PASSWORD = 'changeit'

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes an authority and what it signs, valid for 30 days. Rejects with BrokerUnavailable without openssl and
 *  keytool. */
export async function makeCertificates(broker: string, folder: string): Promise<Certificates> {
  const command = async (name: string, args: readonly string[]): Promise<void> => {
    const program = await findCommand(name)
    if (program === undefined)
      throw new BrokerUnavailable(
        broker,
        `${name} is missing, so certificates cannot be made`,
        name === 'keytool' ? 'install a Java 17 development kit' : `install ${name}`,
      )
    const { code, stderr } = await run(program, args, { cwd: folder })
    if (code !== 0) throw new Error(`${name} ${args[0]} ended with ${code}: ${stderr}`)
  }
  const openssl = (...args: string[]): Promise<void> => command('openssl', args)
  const at = (name: string): string => path.join(folder, name)

  await openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-days',
    '30',
    '-subj',
    '/CN=test-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  const sign = async (name: string, commonName: string, names: string): Promise<void> => {
    await openssl('req', ...NEW_KEY, '-subj', `/CN=${commonName}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    await writeFile(at(`${name}.ext`), `subjectAltName=${names}\n`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', `${name}.ext`]
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`)
  }
  const store = async (name: string): Promise<string> => {
    const parts = ['-in', `${name}.pem`, '-inkey', `${name}.key`, '-certfile', 'ca.pem', '-name', 'server']
    await openssl('pkcs12', '-export', ...parts, '-out', `${name}.p12`, '-passout', `pass:${STORE_PASSWORD}`)
    return at(`${name}.p12`)
  }
  await sign('server', 'localhost', 'DNS:localhost,IP:127.0.0.1')
  await sign('other', 'other.example', 'DNS:other.example')
  await sign('client', 'app', 'DNS:app')
  const trust = ['-alias', 'ca', '-file', 'ca.pem', '-keystore', 'ca.p12', '-storetype', 'PKCS12']
  await command('keytool', ['-importcert', '-noprompt', ...trust, '-storepass', STORE_PASSWORD])
  return {
    ca: at('ca.pem'),
    clientCert: at('client.pem'),
    clientKey: at('client.key'),
    serverStore: await store('server'),
    otherHostStore: await store('other'),
    trustStore: at('ca.p12'),
  }
}
