import type { AuthenticationProviderArgs, Authenticator, KafkaConfig } from 'kafkajs'
import {
  credentialsFor,
  type CredentialsProvider,
  Deadline,
  TransportHost,
  type WaitFacts,
} from '@oslo-messaging/core/driver'
import type { SaslSettings } from '../settings.ts'
import { internal, isFunction } from './patches/internals.ts'

/** How long the application may take for its credentials. */
const PROVIDER_MS = 10_000

type Mechanism = (credentials: object) => (args: AuthenticationProviderArgs) => Authenticator

/** Where kafkajs keeps its own mechanisms. */
const FILES = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram256',
  'SCRAM-SHA-512': 'scram512',
  OAUTHBEARER: 'oauthBearer',
} as const

/** kafkajs's own login, with the reason of its failures.
 *  kafkajs calls everything that goes wrong in a login a wrong password and forgets what it was: also a connection that ends in the middle, which says nothing about the password. */
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

/** Name and password for a broker: those of the application, else those of the URL. Asked for each login, so that they
 *  can be changed while the process runs. */
async function loginAt(
  { host: hostname, port }: AuthenticationProviderArgs,
  login: PasswordLogin,
  provider: CredentialsProvider | undefined,
): Promise<PasswordLogin> {
  if (provider === undefined) return login
  const at = { hostname, port, address: `${hostname}:${port}`, host: new TransportHost() }
  const asked = credentialsFor(at, provider, AbortSignal.timeout(PROVIDER_MS))
  return (await Deadline.after(PROVIDER_MS).race(asked, ASKING)) ?? login
}

interface PasswordLogin {
  readonly username: string
  readonly password: string
}

const ASKING: WaitFacts = { phase: 'connect', delivery: 'not-sent', waitingFor: 'credentials from the application' }
