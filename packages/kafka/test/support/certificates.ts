import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificates extends AsyncDisposable {
  readonly folder: string
  /** Files by name: `ca.crt`, `server.pem`, `client.crt`, `client.key`, `locked.key` (password `key-secret`),
   *  `other-ca.crt`. */
  path(name: string): string
}

/** A certificate authority of the test's own, a server and a client signed by it, and another authority that signed
 *  nothing. Needs openssl. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-certificates-'))
  const path = (name: string): string => join(folder, name)
  const openssl = async (...args: string[]): Promise<void> => {
    await run('openssl', args, { cwd: folder })
  }
  const authority = async (name: string): Promise<void> =>
    await openssl(
      ...`req -x509 -newkey rsa:2048 -sha256 -days 2 -nodes -keyout ${name}.key -out ${name}.crt -subj /CN=${name}`.split(
        ' ',
      ),
      ...'-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign'.split(' '),
    )
  await Promise.all([authority('ca'), authority('other-ca')])
  const extensions = (names: string): string => `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`
  const signed = async (name: string, names: string): Promise<void> => {
    await writeFile(path(`${name}.ext`), extensions(names))
    await openssl(...`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`.split(' '))
    await openssl(
      ...`x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 2 -out ${name}.crt -extfile ${name}.ext`.split(
        ' ',
      ),
    )
  }
  await signed('server', 'DNS:localhost,IP:127.0.0.1')
  await signed('client', 'DNS:client')
  await openssl(...'rsa -aes256 -in client.key -out locked.key -passout pass:key-secret'.split(' '))
  const parts = await Promise.all(
    ['server.key', 'server.crt', 'ca.crt'].map(async (name) => await readFile(path(name))),
  )
  await writeFile(path('server.pem'), Buffer.concat(parts))
  return { folder, path, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) }
}
