import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { BrokerFacts } from '@oslo-messaging/core'
import { PRIORITIES } from '@oslo-messaging/core'
import type { TransportURL } from '@oslo-messaging/core/driver'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { printable } from '../text/printable.ts'
import type { BusToExamine } from './bus.ts'
import type { Findings } from './finding.ts'

interface QueueFacts {
  readonly name: string
  readonly durable: boolean
  readonly auto_delete: boolean
  readonly type?: string
  readonly messages?: number
  readonly consumers?: number
  readonly arguments: Readonly<Record<string, unknown>>
  readonly effective_policy_definition?: Readonly<Record<string, unknown>> | null
}

const BACKLOG = 1000
const CLOCK_MS = 5000

/** What this configuration needs of a RabbitMQ of that version, and what its management interface knows. */
export async function examineRabbit(
  bus: BusToExamine,
  url: TransportURL,
  { version }: BrokerFacts,
  label: string,
  io: Io,
  findings: Findings,
): Promise<void> {
  const value = (name: string): unknown => bus.options.get(name)?.value
  const durable = value('amqp_durable_queues') === true || value('rabbit_quorum_queue') === true
  const [major = 0, minor = 0] = (version ?? '0.0').split('.').map(Number)
  const isAtLeast = (wanted: number, then: number): boolean => major > wanted || (major === wanted && minor >= then)
  if (isAtLeast(4, 3) && !durable)
    findings.add(
      'error',
      'version',
      label,
      `RabbitMQ ${version} refuses queues that are neither durable nor exclusive, and this configuration declares them`,
      'Servers and listeners cannot declare their queues (deprecated feature transient_nonexcl_queues).',
      'Set [oslo_messaging_rabbit] rabbit_quorum_queue = true and rabbit_transient_quorum_queue = true, in every service of the deployment.',
    )
  if (isAtLeast(4, 0) && value('rabbit_quorum_queue') === true && value('rabbit_quorum_delivery_limit') === 0)
    findings.add(
      'warning',
      'delivery-limit',
      label,
      'RabbitMQ drops a message of a quorum queue after 20 deliveries, and nothing says where it goes',
      'A message that always fails is lost without a word.',
      'Set a policy with a dead-letter exchange for these queues, or rabbit_quorum_delivery_limit.',
    )
  if (major >= 4 && value('rabbit_ha_queues') === true)
    findings.add(
      'error',
      'version',
      label,
      'rabbit_ha_queues means mirrored queues, which RabbitMQ 4 does not have',
      'Queues have one copy.',
      'Use rabbit_quorum_queue = true instead, in every service.',
    )
  if (major === 3)
    findings.add(
      'note',
      'version',
      label,
      `RabbitMQ ${version} is no longer maintained`,
      'It gets no security fixes.',
      'Plan the way to 4.x; quorum queues first.',
    )
  await askManagement(bus, url, durable, label, io, findings)
}

async function askManagement(
  bus: BusToExamine,
  url: TransportURL,
  durable: boolean,
  label: string,
  io: Io,
  findings: Findings,
): Promise<void> {
  const [host] = url.hosts
  const base = bus.management ?? `http://${host?.hostname ?? 'localhost'}:15672`
  const authorization = `Basic ${Buffer.from(`${host?.username ?? 'guest'}:${host?.password ?? 'guest'}`).toString('base64')}`
  const vhost = encodeURIComponent(url.virtualHost === null || url.virtualHost === '' ? '/' : url.virtualHost)
  let queues: readonly QueueFacts[]
  try {
    const answer = await getText(
      `${base.replace(/\/+$/, '')}/api/queues/${vhost}`,
      authorization,
      bus.timeoutMs,
      io.signal,
    )
    queues = JSON.parse(answer.text) as readonly QueueFacts[]
    const skew = answer.date === null ? 0 : answer.date - Date.now()
    if (Math.abs(skew) > CLOCK_MS)
      findings.add(
        'warning',
        'clock',
        label,
        `The clocks of broker and this machine are ${Math.round(Math.abs(skew) / 1000)} s apart`,
        'Timestamps and certificates are judged differently.',
        'Run a time service on both.',
      )
  } catch (error) {
    findings.add(
      'note',
      'management',
      label,
      `The management interface at ${base} was not asked: ${errorText(error)}`,
      'Queues, consumers and clocks were not looked at.',
      'Enable rabbitmq_management, give the user the tag monitoring, or name the interface with --management URL.',
    )
    return
  }
  const named = new Map(queues.map((queue) => [queue.name, queue]))
  const names =
    bus.kind === 'rpc'
      ? bus.topics
      : bus.topics.flatMap((topic) => PRIORITIES.map((priority) => `${topic}.${priority}`))
  for (const name of names) {
    const queue = named.get(name)
    if (queue !== undefined) examineQueue(bus, queue, durable, label, findings)
    else if (bus.kind === 'rpc')
      findings.add(
        'warning',
        'consumers',
        label,
        `No queue ${printable(name)}: no server of this topic has ever been up`,
        'Calls to it time out.',
        'Start a server, or correct the topic.',
      )
  }
}

function examineQueue(bus: BusToExamine, queue: QueueFacts, durable: boolean, label: string, findings: Findings): void {
  const name = printable(queue.name)
  const quorum = bus.options.get('rabbit_quorum_queue')?.value === true
  const given = queue.arguments['x-queue-type']
  const type = typeof given === 'string' ? given : 'classic'
  const differences = [
    ...(queue.durable === durable ? [] : [`durable is ${queue.durable}, configured ${durable}`]),
    ...(queue.auto_delete === (bus.options.get('amqp_auto_delete')?.value === true)
      ? []
      : [`auto_delete is ${queue.auto_delete}, configured ${!queue.auto_delete}`]),
    ...((type === 'quorum') === quorum ? [] : [`x-queue-type is ${type}, configured ${quorum ? 'quorum' : 'classic'}`]),
  ]
  if (differences.length > 0)
    findings.add(
      'error',
      'topology',
      label,
      `The queue ${name} is not as configured: ${differences.join('; ')}`,
      'Whoever declares it is refused with PRECONDITION_FAILED (406) and does not start.',
      'Set the options to what the queue is, or drain and delete it and let a service declare it anew.',
    )
  examineConsumerTimeout(bus, queue, label, findings)
  const { consumers = 0, messages = 0 } = queue
  if (consumers === 0 && messages > 0)
    findings.add(
      messages > BACKLOG ? 'error' : 'warning',
      'consumers',
      label,
      `Nobody reads ${name}, and ${messages} messages wait in it`,
      bus.kind === 'rpc' ? 'Their callers have timed out or will.' : 'They are kept until the disk is full.',
      'Start the service that reads it, or delete the queue.',
    )
  else if (consumers === 0 && bus.kind === 'rpc')
    findings.add(
      'warning',
      'consumers',
      label,
      `Nobody reads ${name}`,
      'Calls to it time out.',
      'Start a server of this topic.',
    )
  else if (differences.length === 0)
    findings.add('ok', 'topology', label, `${name}: as configured, ${consumers} consumers, ${messages} messages`)
}

/** How long a consumer may hold a message, as the queue or a policy says; what the broker's own file says is told to
 *  nobody. */
function examineConsumerTimeout(bus: BusToExamine, queue: QueueFacts, label: string, findings: Findings): void {
  const given = queue.arguments['x-consumer-timeout'] ?? queue.effective_policy_definition?.['consumer-timeout']
  const needed = bus.conf.get('DEFAULT', 'rpc_response_timeout') * 1000
  if (typeof given !== 'number' || given >= needed) return
  findings.add(
    'warning',
    'consumer-timeout',
    label,
    `RabbitMQ takes a message of ${printable(queue.name)} back after ${given / 1000} s, and callers wait for ${needed / 1000} s`,
    'A handler that takes longer loses its channel, and the message is delivered again.',
    'Raise consumer-timeout of the queue or its policy above the longest handler.',
  )
}

interface Answer {
  readonly text: string
  readonly date: number | null
}

async function getText(
  address: string,
  authorization: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(address)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return await new Promise((resolve, reject) => {
    const request = send(url, { headers: { authorization }, agent: false, signal, timeout: timeoutMs }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        if (statusCode !== 200) return reject(new Error(`it answers with status ${statusCode}`))
        resolve({
          text: Buffer.concat(parts).toString('utf8'),
          date: headers.date === undefined ? null : Date.parse(headers.date),
        })
      })
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code ?? error.message, { cause: error })),
    )
    request.end()
  })
}
