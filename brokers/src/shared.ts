import net from 'node:net'

import { type BrokerAddress, formatUrl, type HostPort, type UrlOptions, type UrlShape } from './broker.ts'
import { fromEnvironment } from './environment.ts'
import { BrokerUnavailable } from './errors.ts'
import { FaultProxy } from '@oslo-messaging/conformance/faults'
import { type KafkaBroker, type KafkaOptions, makeTopics } from './kafka/kafka-broker.ts'
import type { TopicOptions } from './kafka/protocol.ts'
import { RabbitControl } from './rabbit/control.ts'
import type { RabbitConsole } from './rabbit/erlang.ts'
import type { RabbitBroker } from './rabbit/rabbit-broker.ts'
import { startBroker } from './start.ts'

export type SharedName = 'rabbit' | 'kafka'

/** The environment variable that leads a test file to the process which keeps the shared brokers. */
export const SOCKET_VARIABLE = 'OSLO_MESSAGING_SHARED_BROKERS'

/** What one process tells another about a running broker; plain data. */
export interface BrokerFacts {
  readonly name: SharedName
  readonly version: string
  readonly source: BrokerAddress['source']
  readonly hosts: readonly HostPort[]
  readonly shape: UrlShape
  readonly consoles: readonly RabbitConsole[]
  /** The URL as it was given, for a broker from the environment. */
  readonly url?: string
}

/** RabbitMQ that all test files of a run use; each keeps to a virtual host of its own. */
export interface SharedRabbit extends BrokerAddress {
  readonly name: 'rabbit'
  readonly control: RabbitControl
  /** Makes a virtual host of its own; resolves to its URL. */
  vhost(name?: string): Promise<string>
  /** A fault proxy of the caller's own in front of the broker; `urlFor({ vhost, via: [proxy] })` leads through it.
   *  Close it. */
  proxy(): Promise<FaultProxy>
}

/** Kafka that all test files of a run use; each keeps to topics and groups of its own. To break it, start one:
 *  `startBroker('kafka')`. */
export interface SharedKafka extends BrokerAddress {
  readonly name: 'kafka'
  createTopics(names: readonly string[], options?: TopicOptions): Promise<void>
}

export interface SharedBrokers {
  readonly rabbit: SharedRabbit
  readonly kafka: SharedKafka
}

/** Nobody kills the shared Kafka, so that it needs no short sessions: with them a machine that is busy for a second has
 *  its broker locked out for a moment by its own controller, and every topic is without a leader. */
export const SHARED_KAFKA: KafkaOptions = { config: { 'broker.session.timeout.ms': '30000' } }

/** What this process started for everybody. */
const mine = new Map<SharedName, Promise<RabbitBroker | KafkaBroker>>()

/** The broker that this run shares (RabbitMQ 3.10, Kafka 3.9), started when the first test file asks for it; the one of
 *  RPC_TRANSPORT_URL or NOTIFY_TRANSPORT_URL when that names one. Without the run's set-up (vitest-setup.ts) this
 *  process starts its own, which ends with it. Rejects with BrokerUnavailable, see `skipOrFail`. */
export async function sharedBroker<N extends SharedName>(name: N): Promise<SharedBrokers[N]>
export async function sharedBroker(name: SharedName): Promise<SharedBrokers[SharedName]> {
  const given = environmentFacts(name)
  if (given !== undefined) return attach(given)
  const socket = process.env[SOCKET_VARIABLE]
  return attach(await (socket === undefined ? startShared(name) : askFor(name, socket)))
}

/** Starts the broker in this process, once, and resolves to what others need to use it. */
export async function startShared(name: SharedName): Promise<BrokerFacts> {
  const started = mine.get(name) ?? (name === 'kafka' ? startBroker(name, SHARED_KAFKA) : startBroker(name))
  mine.set(name, started)
  const broker = await started
  const consoles = 'consoles' in broker ? broker.consoles : []
  const { version, source, hosts } = broker
  return { name, version, source, hosts, shape: SHAPES[name], consoles }
}

/** Ends what this process started for everybody. */
export async function closeShared(): Promise<void> {
  const started = await Promise.allSettled(mine.values())
  mine.clear()
  const running = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  await Promise.all(running.map((broker) => broker.close()))
}

const SHAPES: Record<SharedName, UrlShape> = {
  rabbit: { scheme: 'rabbit', user: 'guest', password: 'guest' },
  kafka: { scheme: 'kafka' },
}

function environmentFacts(name: SharedName): BrokerFacts | undefined {
  const found = fromEnvironment(name)
  if (found === undefined) return undefined
  const { version, source, hosts, url, shape } = found
  return { name, version, source, hosts, shape, url, consoles: [] }
}

function attach(facts: BrokerFacts): SharedRabbit | SharedKafka {
  const urlFor = (options: UrlOptions = {}): string =>
    facts.url !== undefined && Object.keys(options).length === 0
      ? facts.url
      : formatUrl(facts.shape, facts.hosts, options)
  const { version, source, hosts } = facts
  const address = { version, source, hosts, url: urlFor(), urlFor }
  if (facts.name === 'kafka') {
    return { ...address, name: 'kafka', createTopics: (names, options) => makeTopics(facts, names, options) }
  }
  const control = new RabbitControl(facts.consoles, facts.shape.user ?? 'guest', (vhost) =>
    vhost === '' ? urlFor() : urlFor({ vhost }),
  )
  const [first] = hosts
  return {
    ...address,
    name: 'rabbit',
    control,
    vhost: (name) => control.vhost(name),
    proxy: () => FaultProxy.open(first ?? { host: '127.0.0.1', port: 5672 }, { urlFor: (at) => urlFor({ via: [at] }) }),
  }
}

/** One question, one answer: the name of a broker and a newline there, its facts or the reason against as JSON back. */
function askFor(name: SharedName, socket: string): Promise<BrokerFacts> {
  return new Promise((resolve, reject) => {
    const connection = net.connect(socket)
    let answer = ''
    connection.setEncoding('utf8')
    connection.on('connect', () => connection.write(`${name}\n`))
    connection.on('data', (chunk: string) => (answer += chunk))
    connection.on('error', reject)
    connection.on('end', () => {
      connection.end()
      if (answer === '')
        return reject(new Error(`The process that keeps the shared brokers went away while it was starting ${name}`))
      const reply = JSON.parse(answer) as Answer
      if (reply.facts !== undefined) return resolve(reply.facts)
      if (reply.unavailable !== undefined) {
        const { broker, problem, remedy } = reply.unavailable
        return reject(new BrokerUnavailable(broker, problem, remedy))
      }
      return reject(new Error(reply.error))
    })
  })
}

/** What travels back over the socket. */
export interface Answer {
  readonly facts?: BrokerFacts
  readonly unavailable?: { readonly broker: string; readonly problem: string; readonly remedy: string }
  readonly error?: string
}
