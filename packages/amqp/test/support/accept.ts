import { Deadline, type Driver, type RPCReply, Target } from '@oslo-messaging/core/driver'
import { isDeepStrictEqual } from 'node:util'
import rhea from 'rhea'
import type { Connection, EventContext, Message } from 'rhea'
import { openDriver } from './open-driver.ts'
import { type Peer, startPeer } from './peer.ts'
import { bodiesOf } from './replay.ts'
import { payloadsOf, type Vector } from './vectors.ts'

/** How many messages Python sent, how many of them our driver accepted, and of how many it made what Python meant. */
export interface Verdict {
  readonly sent: number
  readonly accepted: number
  readonly understood: number
}

const ADDRESS = 'unicast.openstack.probe'
const soon = (): Deadline => Deadline.after(10_000)

/** Gives our driver the bytes that Python sent: requests and notifications to a server and a listener, replies and
 *  heartbeats to a client that waits for them. */
export async function accept(vector: Vector): Promise<Verdict> {
  const peer = await startPeer()
  const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' })
  const raw = rhea.create_container().connect({ host: '127.0.0.1', port: peer.port, reconnect: false })
  raw.on('disconnected', () => {})
  try {
    const requests = await takeIn(driver, raw, vector)
    const replies = await takeReplies(driver, raw, vector, peer)
    return {
      sent: requests.sent + replies.sent,
      accepted: requests.accepted + replies.accepted,
      understood: requests.understood + replies.understood,
    }
  } finally {
    await driver.close()
    raw.close()
    await peer.close()
  }
}

interface Body {
  readonly request: Readonly<Record<string, unknown>>
  readonly context: object
}

/** What `request` holds without the envelope. */
const inner = ({ request }: Body): unknown => {
  const text = request['oslo.message']
  return typeof text === 'string' ? JSON.parse(text) : request
}

async function takeIn(driver: Driver, raw: Connection, vector: Vector): Promise<Verdict> {
  const payloads = payloadsOf(vector, 'client')
  // The bytes have the ids of the capture; the decoded bodies of it are read from them, and not from the normalised
  // text.
  const wanted = payloads.map((payload) => JSON.parse(String(rhea.message.decode(payload).body)) as Body)
  let [accepted, understood] = [0, 0]
  if (payloads.length === 0) return { sent: 0, accepted, understood }
  await new Promise<void>((resolve, reject) => {
    let seen = 0
    const take = ({ message, context }: { readonly message: object; readonly context: object }): void => {
      const body = wanted[seen]
      seen += 1
      if (body !== undefined && isDeepStrictEqual(message, inner(body)) && isDeepStrictEqual(context, body.context))
        understood += 1
    }
    const listening = driver.listen(new Target({ topic: 'probe', server: 's' }), {
      deadline: soon(),
      prefetch: 100,
      onMessage(request) {
        take(request)
        request.acknowledge()
        accepted += 1
        if (accepted === payloads.length) resolve()
      },
    })
    const sendAll = async (): Promise<void> => {
      await listening
      const sender = raw.open_sender(ADDRESS)
      sender.once('sendable', () => {
        for (const payload of payloads) sender.send(payload, undefined, 0)
      })
    }
    sendAll().catch(reject)
  })
  return { sent: payloads.length, accepted, understood }
}

/** A server in rhea alone answers our call with Python's bytes; only the correlation id is that of our call. */
async function takeReplies(driver: Driver, raw: Connection, vector: Vector, peer: Peer): Promise<Verdict> {
  const payloads = payloadsOf(vector, 'server')
  if (payloads.length === 0) return { sent: 0, accepted: 0, understood: 0 }
  let accepted = 0
  const receiver = raw.open_receiver('unicast.openstack.asked')
  receiver.on('message', ({ message }: EventContext) => {
    const sender = raw.open_sender(String(message?.reply_to))
    sender.once('sendable', () => {
      for (const payload of payloads)
        sender.send(
          Object.assign(rhea.message.decode(payload) as unknown as Message, { correlation_id: message?.message_id }),
        )
    })
  })
  const reply = await driver.send(
    new Target({ topic: 'asked' }),
    { context: {}, message: { method: 'm', args: {} } },
    {
      waitForReply: true,
      deadline: soon(),
      expiresInMs: 10_000,
      callMonitorTimeoutMs: 5_000,
      retries: 0,
      atLeastOnce: false,
    },
  )
  accepted = await peer.acceptedBy('dynamic.', payloads.length)
  const last = bodiesOf(vector, 'server').at(-1)
  return { sent: payloads.length, accepted, understood: isDeepStrictEqual(reply, meaning(last)) ? payloads.length : 0 }
}

function meaning(body: unknown): RPCReply {
  const { response = null, failure } = body as { readonly response?: unknown; readonly failure?: string }
  return failure === undefined ? { result: response, failure: null } : { result: null, failure }
}
