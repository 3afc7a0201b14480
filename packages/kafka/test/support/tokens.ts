/** What a broker wants of its OAUTHBEARER listeners to take tokens nobody has signed: Kafka's development mode. */
export const bearerLogin =
  'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="admin";'

/** An unsigned token. */
export function unsignedToken(lifeMs: number): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: 'app', iat: now, exp: now + Math.ceil(lifeMs / 1000) })}.`
}
