import { type KafkaBroker, startBroker } from '@oslo-messaging/brokers'
import type { Certificates } from './certificates.ts'
import { bearerLogin } from './tokens.ts'

export const PASSWORD = 'alice-s3cret/+%'
/** Longest session of a group that this broker allows. */
export const SHORT_SESSION_MS = 60_000
const jaas = (module: string, users = ''): string => `org.apache.kafka.common.security.${module} required${users};`

/** Ports of the listeners beside the one for everybody. */
export interface Ports {
  readonly sasl: number
  /** SASL with PLAIN and nothing else. */
  readonly onlyPlain: number
  /** Wants a client certificate. */
  readonly tls: number
  readonly both: number
}

/** A broker with a listener for each security protocol. `alice` may do anything, `bob` and `carol` nothing; SCRAM
 *  passwords are made by `setScramPassword`. */
export async function startSecure(version: string, ports: Ports, certificates: Certificates): Promise<KafkaBroker> {
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
