import {
  AuthenticationError,
  ConfigurationError,
  type DeliveryState,
  MessagingError,
  type OperationPhase,
  TransportDriverError,
} from '@oslo-messaging/core/driver'
import { refusalClass } from './refusal-classes.ts'

/** What was under way, for the error's fields. */
export interface ErrorFacts {
  /** `host:port`. */
  readonly host?: string | undefined
  readonly phase?: OperationPhase | undefined
  readonly delivery?: DeliveryState | undefined
}

/** What a failure of the client library or the broker means. First match counts. */
interface Row {
  readonly matches: (failure: Failure) => boolean
  readonly as: (failure: Failure, facts: ErrorFacts) => MessagingError
}

interface Failure {
  readonly code: string | number | undefined
  readonly text: string
  readonly cause: unknown
}

const ROWS: readonly Row[] = [
  {
    // 541 closes the whole connection; the text names the feature that newer brokers no longer permit.
    matches: ({ code, text }) => isDeprecated(code, text),
    as: ({ text, cause }, facts) => {
      const feature = /Feature `(?<name>[^`]+)`/.exec(text)?.groups?.['name'] ?? 'a deprecated feature'
      return new ConfigurationError(`The broker refuses ${feature}: ${remedyFor(feature)}`, {
        option: '[oslo_messaging_rabbit] rabbit_transient_quorum_queue',
        cause,
        ...phaseOf(facts),
      })
    },
  },
  {
    matches: ({ code, text }) => code === 406 && text.includes('inequivalent arg'),
    as: ({ text, cause }, facts) =>
      new TransportDriverError(describeMismatch(text), { ...driverFacts(406, cause, facts), retryable: false }),
  },
  {
    matches: ({ code, text }) => code === 'ERR_SSL_WRONG_VERSION_NUMBER' || /ssl.*wrong version number/is.test(text),
    as: ({ cause }, facts) =>
      refused(
        {
          code: 'ERR_SSL_WRONG_VERSION_NUMBER',
          text: 'the port does not speak TLS: check [oslo_messaging_rabbit] ssl, and the port in transport_url (5671 is usual for TLS)',
          cause,
        },
        facts,
      ),
  },
  {
    matches: ({ code, text }) => refusalClass(code, text) === 'configuration',
    as: (failure, facts) => refused(failure, facts),
  },
  {
    matches: () => true,
    as: ({ code, text, cause }, facts) =>
      new TransportDriverError(text, {
        ...driverFacts(code, cause, facts),
        retryable: refusalClass(code, text) === 'passing',
      }),
  },
]

/** The MessagingError for whatever amqplib, the socket or the broker raised; errors of this library pass through. */
export function mapError(error: unknown, facts: ErrorFacts = {}): MessagingError {
  if (error instanceof MessagingError) return error
  const failure = failureOf(error)
  const row = ROWS.find(({ matches }) => matches(failure))
  return row === undefined ? new TransportDriverError(failure.text, { cause: error }) : row.as(failure, facts)
}

/** Whether the supervisor should try again. */
export function classify(error: unknown): 'retry' | 'fatal' {
  return mapError(error).retryable ? 'retry' : 'fatal'
}

/** A declaration refused because the exchange exists with the other durability. A queue that does is not taken as it
 *  is: its messages would be less safe than the configuration promises, and nobody would know. */
export function isDurabilityMismatch(error: unknown): boolean {
  const { code, text } = failureOf(error)
  return code === 406 && text.includes("inequivalent arg 'durable' for exchange")
}

/** What the second try found, after the exchange turned out to be less durable: when the broker refuses queues as
 *  transient as that exchange, or has a durable one, it is the exchange that has to be mended, not the options. Other
 *  failures stay as they are. */
export function fallbackError(failure: unknown, mismatch: unknown): unknown {
  const { code, text } = failureOf(failure)
  const refusesTransient = isDeprecated(code, text)
  const queueIsDurable = code === 406 && text.includes("inequivalent arg 'durable' for queue")
  if (!refusesTransient && !queueIsDurable) return failure
  const found = MISMATCH.exec(failureOf(mismatch).text)?.groups
  const { name = '', vhost = '' } = found ?? {}
  const why = refusesTransient
    ? 'and the broker refuses queues that are as transient (transient_nonexcl_queues)'
    : 'but the queue on it is durable'
  return new ConfigurationError(
    [
      `The exchange '${name}' in virtual host '${vhost}' exists with another 'durable', ${why}`,
      '  asked for: durable = true',
      '  it has:    durable = false',
      `Nothing was changed. Delete the exchange '${name}' while its services are stopped, so that it is declared durable; or unset amqp_durable_queues and rabbit_quorum_queue where the broker permits it.`,
    ].join('\n'),
    { option: '[oslo_messaging_rabbit] amqp_durable_queues', cause: failure },
  )
}

/** The AMQP reply code inside an error of this library or of amqplib. */
export function brokerCodeOf(error: unknown): string | number | undefined {
  if (error instanceof TransportDriverError || error instanceof AuthenticationError) return error.brokerCode
  return failureOf(error).code
}

function failureOf(error: unknown): Failure {
  const text = error instanceof Error ? error.message : String(error)
  const own = error instanceof Error && 'code' in error ? error.code : undefined
  // During the handshake amqplib puts the code into the text alone.
  const inText = /(?:server|failed): (?<code>\d{3}) \(/.exec(text)?.groups?.['code']
  const code =
    typeof own === 'string' || typeof own === 'number' ? own : inText === undefined ? undefined : Number(inText)
  return { code, text: brokerText(text), cause: error }
}

/** The broker's own words out of amqplib's: `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message
 *  "..."`. */
function brokerText(text: string): string {
  return /with message "(?<words>.*)"$/s.exec(text)?.groups?.['words'] ?? text
}

function refused({ code: found, text, cause }: Failure, facts: ErrorFacts): AuthenticationError {
  const code = found ?? (/ACCESS[-_]REFUSED/.test(text) ? 403 : undefined)
  const words = /^[A-Z_]+ - (?<rest>.*)$/s.exec(text)?.groups?.['rest'] ?? text
  const at = facts.host === undefined ? '' : ` at ${facts.host}`
  return new AuthenticationError(`Refused${at}: ${words.trim()}${adviceFor(words)}`, driverFacts(code, cause, facts))
}

/** What to look at first. */
function adviceFor(words: string): string {
  if (/Login was refused/i.test(words))
    return ' Check user and password in transport_url, and [oslo_messaging_rabbit] rabbit_login_method.'
  if (/^vhost .*not found/i.test(words) || /access to vhost/i.test(words))
    return ': check the virtual host in transport_url, and the permissions of its user'
  return ''
}

const MISMATCH =
  /inequivalent arg '(?<field>[^']+)' for (?<kind>queue|exchange) '(?<name>[^']*)' in vhost '(?<vhost>[^']*)': received (?<asked>.+?) but current is (?<actual>.+)$/s

function isDeprecated(code: string | number | undefined, text: string): boolean {
  return code === 541 && text.includes('deprecated')
}

/** Text of a 406, one line for each field: what this side asked for and what the broker has. */
function describeMismatch(text: string): string {
  const found = MISMATCH.exec(text)?.groups
  if (found === undefined) return text
  const { field = '', kind = '', name = '', vhost = '', asked = '', actual = '' } = found
  return [
    `The ${kind} '${name}' in virtual host '${vhost}' exists with another '${field}'`,
    `  asked for: ${field} = ${plainValue(asked)}`,
    `  it has:    ${field} = ${plainValue(actual)}`,
    `Nothing was changed. ${mismatchRemedy(field)}`,
  ].join('\n')
}

/** `the value '1800000' of type 'signedint'` becomes `1800000`. */
function plainValue(words: string): string {
  return /'(?<value>[^']*)'/.exec(words)?.groups?.['value'] ?? words
}

function mismatchRemedy(field: string): string {
  const option = MISMATCH_OPTIONS[field]
  const align =
    option === undefined
      ? 'Align the options of the services'
      : `Align [oslo_messaging_rabbit] ${option} with the services that declared it`
  return `${align}, or delete the entity by hand once it is empty.`
}

const MISMATCH_OPTIONS: Readonly<Record<string, string>> = {
  durable: 'amqp_durable_queues (or rabbit_quorum_queue)',
  auto_delete: 'amqp_auto_delete',
  'x-queue-type': 'rabbit_quorum_queue',
  'x-expires': 'rabbit_transient_queues_ttl',
  'x-ha-policy': 'rabbit_ha_queues',
  'x-delivery-limit': 'rabbit_quorum_delivery_limit',
  'x-max-in-memory-length': 'rabbit_quorum_max_memory_length',
  'x-max-in-memory-bytes': 'rabbit_quorum_max_memory_bytes',
}

function remedyFor(feature: string): string {
  if (feature === 'transient_nonexcl_queues')
    return 'set rabbit_transient_quorum_queue = true for reply and fanout queues, and amqp_durable_queues = true or rabbit_quorum_queue = true (as the other services of the deployment) for the rest'
  return 'change the options that use it, or permit it on the broker'
}

function driverFacts(brokerCode: string | number | undefined, cause: unknown, facts: ErrorFacts) {
  return { brokerCode, cause, host: facts.host, ...phaseOf(facts) }
}

function phaseOf({ phase, delivery }: ErrorFacts) {
  return { phase, delivery }
}
