import { randomUUID } from 'node:crypto'
import { type Deadline, TransportDriverError } from '@oslo-messaging/core/driver'
import { openLinkPair } from '../connection/link-pair.ts'
import { mapError } from '../connection/map-error.ts'
import type { PeerConnection } from '../connection/peer-connection.ts'
import type { Delivery } from '../session/receiver-link.ts'
import type { SenderLink } from '../session/sender-link.ts'
import { SECTION } from '../wire/message-sections.ts'
import { readMessage } from '../wire/read-message.ts'
import { value, valueOf } from '../wire/write-value.ts'

/** Queues, exchanges and bindings of RabbitMQ 4, made over AMQP 1.0 itself: requests and responses in the manner of
 *  HTTP, over a pair of links to the node `/management`. Source: RabbitMQ's documentation of its AMQP 1.0
 *  management. */
export interface RabbitManagement {
  /** Equal ones may be there already. Rejects with a TransportDriverError (not retryable, brokerCode `409` or `400`)
   *  when one with other properties is. */
  declareQueue(name: string, properties: QueueProperties, deadline: Deadline): Promise<void>
  declareFanout(name: string, deadline: Deadline): Promise<void>
  bind(exchange: string, queue: string, deadline: Deadline): Promise<void>
}

export interface QueueProperties {
  readonly durable: boolean
  /** This connection's alone, and gone with it. */
  readonly exclusive: boolean
  /** Gone with the last link that receives from it. */
  readonly autoDelete: boolean
}

const NODE = '/management'
/** Requests under way at most: as many as RabbitMQ takes. */
const CREDIT = 8

/** A request that waits to be sent, or for its answer. */
interface Request {
  readonly id: string
  readonly bytes: Buffer
  readonly resolve: (status: number) => void
  readonly reject: (error: unknown) => void
}

/** Opens its links with the first request. One for each connection. */
export function createManagement(connection: PeerConnection): RabbitManagement {
  /** In the order in which they were asked for. Who depends on another waits for its answer first. */
  const waiting = new Set<Request>()
  const asked = new Map<string, Request>()
  let links: Promise<SenderLink> | undefined
  let sender: SenderLink | undefined

  /** As many at a time as there is credit for the answers to. */
  const pump = (): void => {
    for (const request of waiting) {
      if (sender === undefined || asked.size >= CREDIT || !sender.hasRoom) return
      waiting.delete(request)
      asked.set(request.id, request)
      sender.sendSettled(request.bytes, () => {})
    }
  }
  const onMessage = (delivery: Delivery): void => {
    delivery.link.settle(delivery, 'accept')
    delivery.link.addCredit(1)
    const { correlationId = '', subject } = readMessage(delivery.bytes)
    asked.get(correlationId)?.resolve(Number(subject))
    asked.delete(correlationId)
    pump()
  }
  const open = async (deadline: Deadline): Promise<SenderLink> => {
    const session = await connection.openSession('senders', 2)
    const lost = (error: unknown): void => {
      links = undefined
      sender = undefined
      const both = [...asked.values(), ...waiting]
      asked.clear()
      waiting.clear()
      for (const each of both) each.reject(error)
    }
    const onClosed = (reason: unknown): void => {
      lost(mapError(reason, { phase: 'declare', delivery: 'unknown', doing: `The peer closed the links to ${NODE}` }))
      void session.close()
    }
    try {
      const pair = await session.loss.race(
        deadline.race(openLinkPair(session.session, NODE, CREDIT, { onMessage, onClosed, onRoom: pump }), {
          phase: 'declare',
          delivery: 'not-sent',
        }),
      )
      session.loss.on(lost)
      sender = pair.sender
      return pair.sender
    } catch (error) {
      void session.close()
      throw error
    }
  }
  const request = async (method: string, path: string, body: object, deadline: Deadline): Promise<void> => {
    links ??= open(deadline).catch((error: unknown) => {
      links = undefined
      throw error
    })
    await links
    const id = randomUUID()
    let mine: Request | undefined
    const answer = new Promise<number>((resolve, reject) => {
      mine = { id, bytes: encodeRequest(id, method, path, body), resolve, reject }
      waiting.add(mine)
      pump()
    })
    const status = await deadline
      .race(answer, { phase: 'declare', delivery: 'not-sent', waitingFor: `answer to ${method} ${path}` })
      .finally(() => {
        if (mine !== undefined) waiting.delete(mine)
        // The credit for an answer that comes late is given back when it does.
        if (asked.delete(id)) pump()
      })
    if (status >= 200 && status < 300) return
    // 4xx: something of the name is there and differs, or it may not be made. Neither mends itself.
    throw new TransportDriverError(`The broker answers ${status} to ${method} ${path}`, {
      brokerCode: status,
      phase: 'declare',
      delivery: 'not-sent',
      retryable: status >= 500,
    })
  }
  return {
    declareQueue: (name, { durable, exclusive, autoDelete }, deadline) =>
      request(
        'PUT',
        `/queues/${encodeURIComponent(name)}`,
        { durable, exclusive, auto_delete: autoDelete, arguments: {} },
        deadline,
      ),
    declareFanout: (name, deadline) =>
      request(
        'PUT',
        `/exchanges/${encodeURIComponent(name)}`,
        { type: 'fanout', durable: true, auto_delete: false, internal: false, arguments: {} },
        deadline,
      ),
    bind: (exchange, queue, deadline) =>
      request(
        'POST',
        '/bindings',
        { source: exchange, destination_queue: queue, binding_key: '', arguments: {} },
        deadline,
      ),
  }
}

/** Shape: properties (message-id, to, subject: the method, reply-to) and a map as the body. */
function encodeRequest(id: string, method: string, path: string, body: object): Buffer {
  const properties = [id, undefined, path, method, '$me'].map((field) =>
    field === undefined ? value.nothing() : value.string(field),
  )
  return Buffer.concat([
    value.described(SECTION.properties, value.list(properties)),
    value.described(SECTION.value, valueOf(body)),
  ])
}
