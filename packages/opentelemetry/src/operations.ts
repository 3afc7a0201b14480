import { type Attributes, context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import type {
  ListenOperation,
  NotifyOperation,
  SendOperation,
  ServeOperation,
  SettleOperation,
} from '@oslo-messaging/core'
import { extract } from './carrier.ts'
import { ATTRIBUTE, OWN_ATTRIBUTE, systemOf } from './names.ts'
import { type Instruments, Running } from './running.ts'

/** Names come from peers as well, so not all of them may be kept. */
const MOST_KNOWN = 1000
const known = new Map<string, Attributes>()

/** What the conventions call each operation. */
const TYPES = {
  call: 'send',
  cast: 'send',
  notify: 'send',
  serve: 'process',
  listen: 'process',
  acknowledge: 'settle',
  requeue: 'settle',
  'retry-later': 'settle',
  'dead-letter': 'settle',
  discard: 'settle',
} as const

/** What is the same for each message of a method and a topic, made once. */
function commonOf(driver: string, operation: keyof typeof TYPES, destination: string, detail: string): Attributes {
  const key = `${operation} ${driver} ${destination} ${detail}`
  const found = known.get(key)
  if (found !== undefined) return found
  const type = TYPES[operation]
  const made: Attributes = {
    [ATTRIBUTE.system]: systemOf(driver),
    [ATTRIBUTE.operationType]: type,
    [ATTRIBUTE.operationName]: operation,
    [ATTRIBUTE.destination]: destination,
  }
  if (type !== 'settle')
    made[operation === 'notify' || operation === 'listen' ? OWN_ATTRIBUTE.priority : ATTRIBUTE.rpcMethod] = detail
  Object.freeze(made)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, made)
  return made
}

export function beginSend(
  instruments: Instruments,
  { kind, driver, target, method, context: ctxt }: SendOperation,
): Running {
  const topic = target.topic ?? ''
  const running = new Running(instruments, {
    // As Python names it, so that one trace reads the same on both sides.
    name: `${topic}.${method}`,
    kind: SpanKind.PRODUCER,
    common: commonOf(driver, kind, topic, method),
    messages: 1,
    parent: context.active(),
  })
  if (running.span.isRecording()) {
    running.put(OWN_ATTRIBUTE.rpcService, target.namespace)
    running.put(OWN_ATTRIBUTE.version, target.version)
    running.put(OWN_ATTRIBUTE.requestId, requestId(ctxt))
  }
  return running
}

export function beginServe(instruments: Instruments, operation: ServeOperation): Running {
  const { driver, target, method, namespace, version, headers, context: ctxt, redelivered } = operation
  const running = new Running(instruments, {
    name: `${method} receive`,
    kind: SpanKind.CONSUMER,
    common: commonOf(driver, 'serve', target.topic ?? '', method),
    messages: 1,
    parent: extract(headers, ctxt),
  })
  if (running.span.isRecording()) {
    running.put(OWN_ATTRIBUTE.rpcService, namespace)
    running.put(OWN_ATTRIBUTE.version, version)
    running.put(OWN_ATTRIBUTE.requestId, requestId(ctxt))
    running.put(OWN_ATTRIBUTE.redelivered, redelivered)
  }
  return running
}

export function beginNotify(
  instruments: Instruments,
  { driver, topics, priority, eventType, context: ctxt }: NotifyOperation,
): Running {
  const topic = topics.length === 1 ? (topics[0] ?? '') : topics.join(',')
  const running = new Running(instruments, {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    common: commonOf(driver, 'notify', topic, priority),
    messages: 1,
    parent: context.active(),
  })
  if (running.span.isRecording()) {
    running.put(OWN_ATTRIBUTE.eventType, eventType)
    running.put(OWN_ATTRIBUTE.requestId, requestId(ctxt))
  }
  return running
}

/** One notification goes on with its sender's trace; a batch has many senders, and links to each. */
export function beginListen(
  instruments: Instruments,
  { driver, listener, priority, notifications }: ListenOperation,
): Running {
  const origins = notifications.map(({ ctxt, delivery }) => extract(delivery.headers ?? {}, ctxt))
  const messages = notifications.length
  const isBatch = messages > 1
  const running = new Running(instruments, {
    name: `process ${listener}`,
    kind: SpanKind.CONSUMER,
    common: commonOf(driver, 'listen', listener, priority),
    messages,
    parent: isBatch ? ROOT_CONTEXT : (origins[0] ?? ROOT_CONTEXT),
    links: isBatch
      ? origins.flatMap((origin) => {
          const spanContext = trace.getSpanContext(origin)
          return spanContext === undefined ? [] : [{ context: spanContext }]
        })
      : undefined,
  })
  if (!running.span.isRecording()) return running
  const [first] = notifications
  if (isBatch) running.put(ATTRIBUTE.batchSize, messages)
  else {
    running.put(ATTRIBUTE.messageId, first?.metadata.message_id)
    running.put(OWN_ATTRIBUTE.eventType, first?.eventType)
    running.put(OWN_ATTRIBUTE.redelivered, first?.delivery.redelivered)
  }
  return running
}

/** Beside the span of its handling: both go on from the sender's. */
export function beginSettle(instruments: Instruments, operation: SettleOperation): Running {
  const { driver, receiver, action, context: ctxt, headers, uniqueId } = operation
  const running = new Running(instruments, {
    name: `${action} ${receiver}`,
    kind: SpanKind.CLIENT,
    common: commonOf(driver, action, receiver, ''),
    messages: 1,
    parent: extract(headers, ctxt),
  })
  if (running.span.isRecording()) running.put(ATTRIBUTE.messageId, uniqueId)
  return running
}

function requestId(ctxt: object): string | undefined {
  const id: unknown = 'request_id' in ctxt ? ctxt.request_id : undefined
  return typeof id === 'string' && id !== '' ? id : undefined
}
