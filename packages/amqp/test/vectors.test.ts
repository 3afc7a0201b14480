import { afterAll, describe, expect, it } from 'vitest'
import { accept } from './support/accept.ts'
import { replay } from './support/replay.ts'
import { sentBy, type Vector, vectors } from './support/vectors.ts'
import { type Attach, factsOf, type WireFacts } from './support/wire-facts.ts'

/** Where we differ on purpose. Each is asserted below, so that neither side can change unnoticed.
 *  1. `absolute-expiry-time`: Python's is a moment in 1970; ours is not sent, the header's ttl says the same.
 *  2. A process that calls nobody opens no link for replies.
 *  3. Notifications are durable: a resolved promise means that the broker owns them.
 *  4. With a password ANONYMOUS is never used.
 *  5. A session for each listener, one for replies and one for senders, instead of one for each link.
 *  6. The SASL init names the host, as the specification asks. */
const REPLY_LINK = 'openstack.org/om/receiver/[rpc-response]'

const executed = new Set<string>()
const both = ['client', 'server'] as const

describe.each(vectors.map((vector) => [vector.id, vector] as const))('%s', (id, vector) => {
  it('we send what Python sent', async () => {
    const replayed = await replay(vector)
    for (const side of both) compare(vector, side, replayed[side], factsOf(sentBy(vector, side)))
    executed.add(id)
  })

  it('what Python sent is accepted and understood', async () => {
    const { sent, accepted, understood } = await accept(vector)
    expect(accepted).toBe(sent)
    expect(understood).toBe(sent)
  })
})

afterAll(() => {
  process.stdout.write(`${executed.size} of ${vectors.length} amqp vectors executed, none skipped\n`)
  expect(executed.size).toBe(73)
})

function compare(vector: Vector, side: 'client' | 'server', ours: WireFacts, python: WireFacts): void {
  const { call } = vector.api
  // The two of a shutdown have nothing but that in them.
  if (call !== 'Transport.cleanup') compareMessages(call, ours, python)
  compareLinks(vector, side, ours, python)
  compareConnection(vector, ours, python)
}

function compareMessages(call: string, ours: WireFacts, python: WireFacts): void {
  if (call === 'connect' || call.endsWith('.start')) return expect(python.transfers).toEqual([])
  expect(ours.transfers, 'transfers').toEqual(python.transfers.map((transfer) => expectedTransfer(call, transfer)))
  expect(ours.outcomes, 'outcomes').toEqual(python.outcomes)
}

/** Differences 1 and 3. */
function expectedTransfer(call: string, transfer: object): object {
  const { header, properties, ...rest } = transfer as { readonly header: object; readonly properties: object }
  const { 'absolute-expiry-time': expiry, ...others } = properties as Readonly<Record<string, unknown>>
  // Calls have one in Python, and nothing else has.
  expect(expiry !== undefined).toBe('reply-to' in others)
  const isNotification = call.startsWith('Notifier.') || call === 'listener endpoint'
  return { ...rest, header: isNotification ? { ...header, durable: true } : header, properties: others }
}

/** Difference 2. */
function compareLinks({ api }: Vector, side: 'client' | 'server', ours: WireFacts, python: WireFacts): void {
  const calls = api.call === 'RPCClient.call' || api.call === 'Transport.cleanup'
  const expectsReplies = calls && side === 'client'
  const isWanted = ({ link }: Attach): boolean => expectsReplies || link !== REPLY_LINK
  const wanted = python.attaches.filter(isWanted)
  expect(ours.attaches, 'attaches').toEqual(expect.arrayContaining([...wanted]))
  if (!expectsReplies) expect(ours.attaches.map(({ link }) => link)).not.toContain(REPLY_LINK)
  // A vector of a subscription or of a new client has every link of that side in it.
  const isWhole = side === 'client' ? /^(RPCClient|Notifier)/.test(api.call) : api.call.endsWith('.start')
  if (isWhole) expect(ours.attaches).toHaveLength(wanted.length)
  const credits = Object.entries(python.credits).filter(([link]) => expectsReplies || link !== REPLY_LINK)
  expect(ours.credits, 'credits').toMatchObject(Object.fromEntries(credits))
  if (api.call !== 'Transport.cleanup') return
  // The reply link of the server is the one that is not there to be detached.
  expect(ours.detaches).toBe(side === 'client' ? python.detaches : python.detaches - 1)
  expect(ours.closes).toBe(python.closes)
}

/** Differences 4 and 6. */
function compareConnection({ id, api }: Vector, ours: WireFacts, python: WireFacts): void {
  if (python.headers.length > 0) expect(ours.headers, 'protocol headers').toEqual(python.headers)
  if (python.opens.length > 0) expect(ours.opens, 'opens').toEqual(python.opens)
  const [sasl] = python.saslInits as readonly { readonly mechanism: string; readonly initial_response: string }[]
  if (sasl === undefined) return
  expect(api.url).toContain('guest:guest@')
  expect(sasl.mechanism).toBe(id.endsWith('plain') ? 'PLAIN' : 'ANONYMOUS')
  const plain = { mechanism: 'PLAIN', initial_response: Buffer.from('\0guest\0guest').toString('hex') }
  if (sasl.mechanism === 'PLAIN') expect(sasl).toEqual(plain)
  expect(ours.saslInits).toEqual([{ ...plain, hostname: '127.0.0.1' }])
}
