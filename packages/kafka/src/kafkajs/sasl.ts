import type { AuthenticationProviderArgs, Authenticator, KafkaConfig } from 'kafkajs'
import type { CredentialsProvider } from '@oslo-messaging/core/driver'
import { loginAt } from '../port/login.ts'
import type { SaslSettings } from '../settings.ts'
import { internal, isFunction } from './patches/internals.ts'

type Mechanism = (credentials: object) => (args: AuthenticationProviderArgs) => Authenticator

/** Where kafkajs keeps its own mechanisms. */
const FILES = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram256',
  'SCRAM-SHA-512': 'scram512',
  OAUTHBEARER: 'oauthBearer',
} as const

/** kafkajs's own login, with the reason of its failures.
 *  kafkajs calls everything that goes wrong in a login a wrong password and forgets what it was: also a connection that
 *  ends in the middle, which says nothing about the password. */
export function saslOptions(
  sasl: SaslSettings,
  credentials: CredentialsProvider | undefined,
): NonNullable<KafkaConfig['sasl']> {
  const login = internal(`broker/saslAuthenticator/${FILES[sasl.mechanism]}`, isFunction) as Mechanism
  const { mechanism } = sasl
  return {
    mechanism: mechanism.toLowerCase(),
    authenticationProvider: (args) => {
      let reason: unknown
      const remember = <T>(work: Promise<T>): Promise<T> =>
        work.catch((error: unknown) => {
          reason = error
          throw error
        })
      return {
        authenticate: async () => {
          try {
            const given =
              sasl.mechanism === 'OAUTHBEARER'
                ? { oauthBearerProvider: async () => await remember(sasl.token()) }
                : await remember(loginAt(args, sasl, credentials))
            const authenticator = login(given)({
              ...args,
              saslAuthenticate: async (request) => await remember(args.saslAuthenticate(request)),
            })
            await authenticator.authenticate()
          } catch (error) {
            if (error instanceof Error && reason !== undefined) error.cause = reason
            throw error
          }
        },
      }
    },
  }
}
