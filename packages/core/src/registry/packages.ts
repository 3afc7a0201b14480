/** Schemes that packages of this project serve. */
export const OWN_PACKAGES: ReadonlyMap<string, string> = new Map([
  ['rabbit', '@oslo-messaging/rabbit'],
  ['kombu', '@oslo-messaging/rabbit'],
  ['amqp', '@oslo-messaging/amqp'],
  ['kafka', '@oslo-messaging/kafka'],
])

/** The package that most likely serves a scheme. */
export function packageToInstall(scheme: string): string {
  return OWN_PACKAGES.get(scheme) ?? `oslo-messaging-driver-${scheme}`
}
