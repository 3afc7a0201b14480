import { type Certificates, STORE_PASSWORD } from '../certificates.ts'

export interface TlsPorts {
  /** PLAIN and ANONYMOUS over TLS, as `localhost` and `127.0.0.1`. */
  readonly port: number
  /** The same for clients that show a certificate; EXTERNAL and PLAIN. */
  readonly mutualPort: number
  /** A server whose certificate is for another host. */
  readonly otherHostPort: number
}

/** Lines of `<acceptors>` for these ports. */
export function acceptorsFor(ports: TlsPorts, files: Certificates): string {
  const acceptor = (name: string, port: number, options: readonly (readonly [string, string])[]): string => {
    const multicast = 'openstack.org/om/rpc/multicast/,openstack.org/om/notify/multicast/'
    const all = [['protocols', 'AMQP'], ...options, ['multicastPrefix', multicast]] as const
    return `<acceptor name="${name}">tcp://127.0.0.1:${port}?${all.map(([key, value]) => `${key}=${value}`).join(';')}</acceptor>`
  }
  const tls = (keyStore: string): (readonly [string, string])[] => [
    ['sslEnabled', 'true'],
    ['keyStoreType', 'PKCS12'],
    ['keyStorePath', keyStore],
    ['keyStorePassword', STORE_PASSWORD],
  ]
  const anybody = ['saslMechanisms', 'PLAIN,ANONYMOUS'] as const
  const mutual = [
    ['saslMechanisms', 'EXTERNAL,PLAIN'],
    ['needClientAuth', 'true'],
    ['trustStoreType', 'PKCS12'],
    ['trustStorePath', files.trustStore],
    ['trustStorePassword', STORE_PASSWORD],
  ] as const
  return [
    acceptor('amqps', ports.port, [anybody, ...tls(files.serverStore)]),
    acceptor('amqps-mutual', ports.mutualPort, [...mutual, ...tls(files.serverStore)]),
    acceptor('amqps-other-host', ports.otherHostPort, [anybody, ...tls(files.otherHostStore)]),
  ].join('\n    ')
}
