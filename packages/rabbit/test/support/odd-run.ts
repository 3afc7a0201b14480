import { inspect } from 'node:util'
import { type IncomingNotification, type IncomingRequest, type SendOptions, Target } from '@oslo-messaging/core/driver'
import { expect } from 'vitest'
import {
  BODY,
  content,
  frame,
  HEADER,
  HEARTBEAT,
  long,
  METHOD,
  method,
  METHODS,
  type MethodName,
  short,
  u16,
  u32,
  u64,
  u8,
} from './amqp-frames.ts'
import { openReal } from './broker.ts'
import { OddNetwork } from './odd-network.ts'
import { OddConnection, OddPeer } from './odd-peer.ts'
import { notificationOf } from './notification.ts'
import { callOptions, castOptions, echo, listenOptions } from './open-driver.ts'

/** What became of a run. */
export interface OddReport {
  readonly seed: number
  readonly mischief: number
  readonly operations: number
  readonly succeeded: number
  readonly connections: number
  /** Milliseconds an operation ended after its deadline, at most. */
  readonly latestMs: number
  /** Milliseconds until health and every kind of operation were right, after the peer had become honest. */
  readonly rightAfterMs: number
}

interface OddRun {
  readonly seed: number
  /** Milliseconds of mischief. */
  readonly ms: number
}

const KINDS = ['call', 'cast', 'fanout', 'notify'] as const
const WELL = new Set(['connected', 'consuming'])
const RIGHT_WITHIN_MS = 10_000
const PREFETCH = 4
const PLACES = 64
const MOST_UNDER_WAY = 40
const request = { context: {}, message: { method: 'echo', args: { n: 7 } } }
const news = notificationOf({})

/** A generator of numbers in [0, 1) that begins the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Lets a peer and the network before it misbehave at random while a driver serves, calls, casts and notifies; then
 *  both become honest. Fails when an operation does not end by its deadline, when things are not right 10 s later, and
 *  when channels, sockets or places are left behind. */
export async function runOddPeer(run: OddRun): Promise<OddReport> {
  const peer = await OddPeer.start()
  const network = await OddNetwork.to(peer.port)
  const driver = openReal(`rabbit://guest:guest@127.0.0.1:${network.port}/`, {
    options: {
      rabbit_retry_interval: 0.05,
      rabbit_interval_max: 1,
      heartbeat_timeout_threshold: 2,
      kombu_missing_consumer_retry_timeout: 1,
    },
    settings: {
      connectTimeoutMs: 1000,
      answerTimeoutMs: 1000,
      watchdogIntervalMs: 300,
      maxOutstandingMessages: PLACES,
      maxWaitingMessages: PLACES,
      maxPendingCalls: PLACES,
    },
  })
  try {
    return await play(run, peer, network, driver)
  } finally {
    await driver.close()
    await network.close()
    await peer.close()
  }
}

async function play(
  { seed, ms }: OddRun,
  peer: OddPeer,
  network: OddNetwork,
  driver: ReturnType<typeof openReal>,
): Promise<OddReport> {
  const random = seeded(seed)
  const pick: Pick = (choices) => {
    const found = choices[Math.floor(random() * choices.length)]
    if (found === undefined) throw new Error('Nothing to pick from')
    return found
  }
  const target = new Target({ topic: 't' })
  let gate: Promise<void> | undefined
  let inHand = 0
  const onRequest = (incoming: IncomingRequest): void => {
    inHand += 1
    void (gate ?? Promise.resolve()).then(() => {
      inHand -= 1
      echo(incoming)
    })
  }
  // A machine that is busy with other tests takes its time to begin.
  const { deadline } = callOptions({ timeoutMs: 30_000 })
  const serving = listenOptions<IncomingRequest>(onRequest, { prefetch: PREFETCH, deadline })
  await driver.listen(target.with({ server: 'a' }), serving)
  const heard = listenOptions<IncomingNotification>((incoming) => incoming.acknowledge(), { deadline })
  await driver.listenForNotifications([{ target: new Target({ topic: 'n' }), priority: 'info' }], heard)

  let latestMs = 0
  let operations = 0
  let succeeded = 0
  const underWay = new Set<Promise<void>>()
  const operate = (kind: (typeof KINDS)[number], timeoutMs: number): Promise<unknown> => {
    const options: SendOptions = kind === 'call' ? callOptions({ timeoutMs }) : castOptions({ timeoutMs })
    if (kind === 'notify')
      return driver.sendNotification(new Target({ topic: 'n.info' }), news, { ...options, version: '2.0' })
    return driver.send(kind === 'fanout' ? target.with({ fanout: true }) : target, request, options)
  }
  const begin = (): void => {
    const timeoutMs = 200 + Math.floor(random() * 1000)
    const startedAt = performance.now()
    operations += 1
    const ended = operate(pick(KINDS), timeoutMs).then(
      () => {
        succeeded += 1
      },
      () => {},
    )
    const timed = ended.then(() => {
      latestMs = Math.max(latestMs, performance.now() - startedAt - timeoutMs)
      underWay.delete(timed)
    })
    underWay.add(timed)
  }

  let mischief = 0
  const until = performance.now() + ms
  while (performance.now() < until) {
    while (underWay.size < MOST_UNDER_WAY && random() < 0.7) begin()
    if (random() < 0.3) {
      mischief += 1
      misbehave(peer, network, random, pick)
    }
    await new Promise((resolve) => setTimeout(resolve, random() * 20))
  }

  // --- from here on everybody is honest
  peer.onMethod = () => false
  network.splitBytes = 0
  network.heal()
  for (const connection of peer.open) connection.send(method(0, 'connection.unblocked'))
  const honestSince = performance.now()
  // What was refused before it ever was up is tried again when somebody uses it: operations come before health.
  const wrong = async (): Promise<string | undefined> => {
    const ended = await Promise.allSettled(KINDS.map((kind) => operate(kind, 3000)))
    const failed = ended.flatMap((each, index) =>
      each.status === 'rejected' ? [`${KINDS[index]}: ${String(each.reason)}`] : [],
    )
    const { components } = driver.health()
    const ill = components.filter(({ state }) => !WELL.has(state))
    return failed.length + ill.length === 0 ? undefined : inspect([...failed, ...ill])
  }
  let rightAfterMs = 0
  for (;;) {
    const found = await wrong()
    rightAfterMs = performance.now() - honestSince
    if (rightAfterMs > RIGHT_WITHIN_MS)
      throw new Error(`Not right again: ${found ?? 'only now'}; readers of nobody: ${inspect(readersOfNobody(peer))}`)
    if (found === undefined) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  // Every operation began before and has its deadline behind it.
  await expect.poll(() => underWay.size, { timeout: 5000, message: `seed ${seed}: operations under way` }).toBe(0)

  // --- places: as many as there were at the beginning, once replies to calls that are over have left theirs
  const fill = async (): Promise<boolean> => {
    let open = (): void => {}
    gate = new Promise((resolve) => {
      open = resolve
    })
    const calls = Promise.allSettled(Array.from({ length: PLACES }, () => operate('call', 10_000)))
    await expect.poll(() => inHand, { timeout: 5000, message: `seed ${seed}: requests in hand` }).toBe(PREFETCH)
    open()
    gate = undefined
    const failed = (await calls).filter(({ status }) => status === 'rejected')
    lack = inspect(failed[0])
    return failed.length === 0
  }
  let lack = ''
  const filledFrom = performance.now()
  while (!(await fill()))
    if (performance.now() - filledFrom > RIGHT_WITHIN_MS) throw new Error(`Places are not given back: ${lack}`)
  await expect.poll(() => network.open, { timeout: 5000, message: `seed ${seed}: sockets` }).toBe(2)
  // Listeners 2, replies 1, the watchdog 1, and one for each exchange that is published to: requests, fanout,
  // notifications, replies.
  await expect
    .poll(() => peer.openChannels, { timeout: 5000, message: `seed ${seed}: channels` })
    .toBeLessThanOrEqual(8)
  await driver.close()
  await expect.poll(() => network.open, { timeout: 5000, message: `seed ${seed}: sockets after close` }).toBe(0)
  return { seed, mischief, operations, succeeded, connections: peer.connections.length, latestMs, rightAfterMs }
}

/** Queues with a consumer whose channel is gone: a broker has none, and what is delivered to it is lost. */
function readersOfNobody(peer: OddPeer): readonly string[] {
  return [...peer.queues].flatMap(([name, { consumers }]) =>
    consumers
      .filter(({ connection, channel }) => connection.socket.destroyed || !connection.channels.has(channel))
      .map(() => name),
  )
}

type Pick = <T>(choices: readonly T[]) => T

const NAMES = Object.keys(METHODS) as MethodName[]
const CODES = [200, 311, 320, 402, 403, 404, 405, 406, 501, 504, 505, 506, 530, 540, 541] as const
const QUESTIONS = [
  'connection.start',
  'connection.start-ok',
  'connection.open',
  'channel.open',
  'channel.close',
  'exchange.declare',
  'queue.declare',
  'queue.bind',
  'basic.qos',
  'basic.consume',
  'basic.publish',
  'confirm.select',
  'basic.ack',
] as const

function misbehave(peer: OddPeer, network: OddNetwork, random: () => number, pick: Pick): void {
  const draw = random()
  if (draw < 0.25) return askOddly(peer, random, pick)
  if (draw < 0.4) return cross(network, random, pick)
  const connection = peer.open.length === 0 ? undefined : pick(peer.open)
  if (connection === undefined) return
  if (draw < 0.45) return void connection.socket.destroy()
  if (draw < 0.5) return void connection.socket.end()
  const channel =
    random() < 0.8 && connection.channels.size > 0 ? pick([...connection.channels.keys()]) : Math.floor(random() * 10)
  if (draw < 0.6 && connection.channels.has(channel))
    return connection.closeChannel(channel, pick(CODES), 'ODD - because')
  connection.send(oddBytes(channel, random, pick))
}

/** Some questions get no answer for a while, or one that comes twice. */
function askOddly(peer: OddPeer, random: () => number, pick: Pick): void {
  const odd = pick(QUESTIONS)
  const what = pick(['silent', 'twice', 'refused'] as const)
  let left = Math.ceil(random() * 5)
  peer.onMethod = ({ name, channel, connection, answer }) => {
    if (name !== odd || left <= 0) return false
    left -= 1
    // A broker owes each confirm for as long as the channel is open: it comes late, but it comes.
    if (name === 'basic.publish' && what === 'silent') setTimeout(answer, 300)
    else if (what === 'twice') {
      answer()
      answer()
    } else if (what === 'refused') {
      if (channel === 0) connection.send(OddConnection.closing(pick(CODES), 'ODD - refused'))
      else connection.closeChannel(channel, pick(CODES), 'ODD - refused')
    }
    return true
  }
}

function cross(network: OddNetwork, random: () => number, pick: Pick): void {
  const direction = pick(['toClient', 'toServer'] as const)
  const ms = random() * 1500
  switch (pick(['hold', 'lose', 'split', 'reset'] as const)) {
    case 'hold':
      network.hold(direction)
      setTimeout(() => network.release(direction), ms)
      break
    case 'lose':
      network.lose(direction)
      setTimeout(() => network.heal(), ms)
      break
    case 'split':
      network.splitBytes = Math.floor(random() * 20)
      break
    case 'reset':
      network.reset()
      break
  }
}

function oddBytes(channel: number, random: () => number, pick: Pick): Buffer {
  const bytes = (most: number): Buffer =>
    Buffer.from(Array.from({ length: Math.floor(random() * most) }, () => random() * 256))
  const tag = (): Buffer => u64(pick([0, 1, 2, 1000, 2 ** 40]))
  return pick([
    () => bytes(200),
    () => frame(Math.floor(random() * 10), channel, bytes(100)),
    () =>
      frame(
        METHOD,
        channel,
        Buffer.concat([u16(pick([10, 20, 40, 50, 60, 85])), u16(Math.floor(random() * 130)), bytes(30)]),
      ),
    () => frame(METHOD, channel, Buffer.alloc(0)),
    () => frame(HEADER, channel, Buffer.alloc(0)),
    () => frame(BODY, channel, bytes(50)),
    () => frame(HEARTBEAT, channel, Buffer.alloc(0)),
    () => method(channel, pick(NAMES), bytes(40)),
    () => method(channel, pick(NAMES)),
    () => method(0, 'connection.close', u16(pick(CODES)), short('ODD - because'), u16(0), u16(0)),
    () => method(0, 'connection.blocked', short('odd')),
    () => Buffer.concat([method(0, 'connection.blocked', short('odd')), method(0, 'connection.unblocked')]),
    () => method(channel, 'basic.ack', tag(), u8(pick([0, 1]))),
    () => method(channel, 'basic.nack', tag(), u8(pick([0, 1, 2, 3]))),
    () => method(channel, 'basic.cancel', short(pick(['1', '2', 'x'])), u8(1)),
    () =>
      Buffer.concat([
        method(channel, 'basic.deliver', short(pick(['1', '2', 'x'])), tag(), u8(0), short(''), short('t')),
        content(channel, u16(0), bytes(50)),
      ]),
    () => method(channel, 'basic.deliver', short('1'), tag(), u8(0), short(''), short('t')),
    () =>
      Buffer.concat([
        method(channel, 'basic.return', u16(312), short('NO_ROUTE'), short(''), short('t')),
        content(channel, u16(0), bytes(50)),
      ]),
    () => method(channel, 'queue.declare-ok', short('t'), u32(0), u32(0)),
    () => method(channel, 'channel.flow', u8(pick([0, 1]))),
    () => method(channel, 'channel.open-ok', long('')),
    () => method(channel, 'channel.close-ok'),
    () => method(0, 'connection.open-ok', short('')),
  ])()
}
