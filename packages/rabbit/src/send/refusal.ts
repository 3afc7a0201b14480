import type { OutgoingPublish } from '../client/client.ts'
import { brokerCodeOf } from '../connection/map-error.ts'

/** Reply codes with which RabbitMQ closes a channel because of one message on it: too large for a consumer, forbidden,
 *  against a rule. */
const REFUSALS: ReadonlySet<string | number | undefined> = new Set([311, 403, 406])

const SIZE = /message size (?<size>\d+) .*?max(?:imum)? size (?<limit>\d+)/is
const EXCHANGE = /access to (?:topic '(?<key>[^']*)' in )?exchange '(?<exchange>[^']*)'/

/** What the end of a channel means for a message on it that was not confirmed.
 *  `refused`: it is the reason. `unsent`: it came after the reason, and the broker never looked at it. `passed`: it
 *  came before the reason, and the broker may have it.
 *  `suspect`: it may be the reason, and the broker may have it. `lost`: nothing was refused; the broker may have it. */
export type Verdict = 'refused' | 'unsent' | 'passed' | 'suspect' | 'lost'

/** The verdict on each of the messages that were lost together, in the order of their publishing. `confirmedAny`: the
 *  channel has seen a confirm. */
export function judge(error: unknown, lost: readonly OutgoingPublish[], confirmedAny: boolean): readonly Verdict[] {
  if (!REFUSALS.has(brokerCodeOf(error))) return lost.map(() => 'lost')
  const text = textOf(error)
  const isReason = lost.length === 1 ? () => true : reasonNamedBy(text, confirmedAny)
  const first = lost.findIndex(isReason)
  if (first === -1) return lost.map(() => 'suspect')
  // Who may not write to an exchange may not write anything to it; another large message need not be too large.
  const alike = EXCHANGE.test(text) ? isReason : () => false
  return lost.map((message, index) => {
    if (index < first) return 'passed'
    return index === first || alike(message) ? 'refused' : 'unsent'
  })
}

/** The most bytes of a body that a refusal says the broker takes; undefined when it is about something else. */
export function limitIn(error: unknown): number | undefined {
  const limit = SIZE.exec(textOf(error))?.groups?.['limit']
  return limit === undefined ? undefined : Number(limit)
}

/** Whether a message is the one that the text of a refusal describes. */
function reasonNamedBy(text: string, confirmedAny: boolean): (message: OutgoingPublish) => boolean {
  const size = SIZE.exec(text)?.groups?.['size']
  if (size !== undefined) return ({ body }) => body.length === Number(size)
  const { exchange, key } = EXCHANGE.exec(text)?.groups ?? {}
  // Rights that were taken away meanwhile: which messages came before that, nobody can say.
  if (exchange === undefined || confirmedAny) return () => false
  return (message) => message.exchange === exchange && (key === undefined || message.routingKey === key)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
