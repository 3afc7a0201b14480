import { isDeepStrictEqual } from 'node:util'
import type { Vector } from './vectors.ts'
import type { Attach, WireFacts } from './wire-facts.ts'

/** What of the two sides of a conversation must be the same. */
export interface Comparison {
  readonly what: string
  readonly ours: unknown
  readonly python: unknown
}

/** Where we differ on purpose. Each is asserted, so that neither side can change unnoticed; the reasons are in
 *  `interop/golden/differences.json`. */
export type AmqpDifference =
  | 'no-expiry-in-1970'
  | 'no-reply-link-without-calls'
  | 'notifications-are-durable'
  | 'never-anonymous-with-a-password'
  | 'fewer-sessions'
  | 'sasl-names-the-host'

export interface Compared {
  readonly comparisons: readonly Comparison[]
  /** Those that showed. */
  readonly differences: readonly AmqpDifference[]
}

const REPLY_LINK = 'openstack.org/om/receiver/[rpc-response]'

type Side = 'client' | 'server'

/** Compares what our side of a vector sent with what Python's sent. */
export function compareFacts(vector: Vector, side: Side, ours: WireFacts, python: WireFacts): Compared {
  const { call } = vector.api
  const parts = [compareLinks(vector, side, ours, python), compareConnection(vector, ours, python)]
  // The two of a shutdown have nothing but that in them.
  if (call !== 'Transport.cleanup') parts.push(compareMessages(call, ours, python))
  return {
    comparisons: parts.flatMap(({ comparisons }) => comparisons),
    differences: [...new Set(parts.flatMap(({ differences }) => differences))],
  }
}

function compareMessages(call: string, ours: WireFacts, python: WireFacts): Compared {
  if (call === 'connect' || call.endsWith('.start'))
    return { comparisons: [{ what: 'transfers', ours: [], python: python.transfers }], differences: [] }
  const isNotification = call.startsWith('Notifier.') || call === 'listener endpoint'
  const transfers = python.transfers.map((transfer) => expectedTransfer(isNotification, transfer))
  return {
    comparisons: [
      { what: 'transfers', ours: ours.transfers, python: transfers.map(({ expected }) => expected) },
      { what: 'outcomes', ours: ours.outcomes, python: python.outcomes },
      // Calls have an expiry time in Python, and nothing else has.
      ...transfers.map(({ hasExpiry, expectsReply }) => ({ what: 'expiry', ours: hasExpiry, python: expectsReply })),
    ],
    differences: [
      ...(transfers.some(({ hasExpiry }) => hasExpiry) ? (['no-expiry-in-1970'] as const) : []),
      ...(isNotification && transfers.length > 0 ? (['notifications-are-durable'] as const) : []),
    ],
  }
}

/** Python's transfer, as it is wanted here. */
function expectedTransfer(isNotification: boolean, transfer: object) {
  const { header, properties, ...rest } = transfer as { readonly header: object; readonly properties: object }
  const { 'absolute-expiry-time': expiry, ...others } = properties as Readonly<Record<string, unknown>>
  return {
    expected: { ...rest, header: isNotification ? { ...header, durable: true } : header, properties: others },
    hasExpiry: expiry !== undefined,
    expectsReply: 'reply-to' in others,
  }
}

function compareLinks({ api }: Vector, side: Side, ours: WireFacts, python: WireFacts): Compared {
  const calls = api.call === 'RPCClient.call' || api.call === 'Transport.cleanup'
  const expectsReplies = calls && side === 'client'
  const wanted = python.attaches.filter(({ link }) => expectsReplies || link !== REPLY_LINK)
  const missing = wanted.filter((attach) => !ours.attaches.some((each) => isDeepStrictEqual(each, attach)))
  const comparisons: Comparison[] = [{ what: 'attaches that are missing', ours: missing, python: [] }]
  const isReplyLink = ({ link }: Attach): boolean => link === REPLY_LINK
  if (!expectsReplies)
    comparisons.push({ what: 'links for replies', ours: ours.attaches.filter(isReplyLink).length, python: 0 })
  // A vector of a subscription or of a new client has every link of that side in it.
  const isWhole = side === 'client' ? /^(RPCClient|Notifier)/.test(api.call) : api.call.endsWith('.start')
  if (isWhole) comparisons.push({ what: 'number of attaches', ours: ours.attaches.length, python: wanted.length })
  const credits = Object.entries(python.credits).filter(([link]) => expectsReplies || link !== REPLY_LINK)
  const same = credits.map(([link]) => [link, ours.credits[link]] as const)
  comparisons.push({ what: 'credits', ours: same, python: credits })
  if (api.call === 'Transport.cleanup') {
    // The reply link of the server is the one that is not there to be detached.
    const detaches = side === 'client' ? python.detaches : python.detaches - 1
    comparisons.push({ what: 'detaches', ours: ours.detaches, python: detaches })
    comparisons.push({ what: 'closes', ours: ours.closes, python: python.closes })
  }
  const lacksReplyLink = !expectsReplies && python.attaches.some(isReplyLink)
  const hasFewer = python.sessions > 0 && ours.sessions < python.sessions
  if (python.sessions > 0 && isWhole)
    comparisons.push({ what: 'no more sessions than Python', ours: ours.sessions <= python.sessions, python: true })
  return {
    comparisons,
    differences: [
      ...(lacksReplyLink ? (['no-reply-link-without-calls'] as const) : []),
      ...(hasFewer ? (['fewer-sessions'] as const) : []),
    ],
  }
}

function compareConnection({ id, api }: Vector, ours: WireFacts, python: WireFacts): Compared {
  const comparisons: Comparison[] = []
  if (python.headers.length > 0)
    comparisons.push({ what: 'protocol headers', ours: ours.headers, python: python.headers })
  if (python.opens.length > 0) comparisons.push({ what: 'opens', ours: ours.opens, python: python.opens })
  const [sasl] = python.saslInits as readonly { readonly mechanism: string; readonly initial_response: string }[]
  if (sasl === undefined) return { comparisons, differences: [] }
  const plain = { mechanism: 'PLAIN', initial_response: Buffer.from('\0guest\0guest').toString('hex') }
  comparisons.push(
    { what: 'login in the URL', ours: api.url?.includes('guest:guest@'), python: true },
    { what: 'mechanism of Python', ours: id.endsWith('plain') ? 'PLAIN' : 'ANONYMOUS', python: sasl.mechanism },
    { what: 'sasl-init', ours: ours.saslInits, python: [{ ...plain, hostname: '127.0.0.1' }] },
  )
  if (sasl.mechanism === 'PLAIN') comparisons.push({ what: 'sasl-init of Python', ours: plain, python: sasl })
  const anonymous = sasl.mechanism === 'PLAIN' ? [] : (['never-anonymous-with-a-password'] as const)
  return { comparisons, differences: ['sasl-names-the-host', ...anonymous] }
}
