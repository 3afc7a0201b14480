import {
  credentialsFor,
  type CredentialsProvider,
  Deadline,
  TransportHost,
  type WaitFacts,
} from '@oslo-messaging/core/driver'

/** How long the application may take for its credentials. */
const PROVIDER_MS = 10_000
const ASKING: WaitFacts = { phase: 'connect', delivery: 'not-sent', waitingFor: 'credentials from the application' }

export interface PasswordLogin {
  readonly username: string
  readonly password: string
}

/** Name and password for a broker: those of the application, else those of the URL. Asked for each login, so that they
 *  can be changed while the process runs. */
export async function loginAt(
  { host: hostname, port }: { readonly host: string; readonly port: number },
  login: PasswordLogin,
  provider: CredentialsProvider | undefined,
): Promise<PasswordLogin> {
  if (provider === undefined) return login
  const at = { hostname, port, address: `${hostname}:${port}`, host: new TransportHost() }
  const asked = credentialsFor(at, provider, AbortSignal.timeout(PROVIDER_MS))
  return (await Deadline.after(PROVIDER_MS).race(asked, ASKING)) ?? login
}
