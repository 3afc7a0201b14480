import type { OddPeer } from '../odd-peer.ts'
import { encode } from './codec.ts'
import type { OddConnection } from './connection.ts'
import { type Condition, type Frame, headerBytes, type Outcome, rawFrame } from './frames.ts'
import type { OddLink } from './link.ts'
import { BAD_MESSAGES } from './message.ts'
import type { OddPeerOptions } from './options.ts'
import type { Random } from './random.ts'

export interface Scene {
  readonly peer: OddPeer
  readonly random: Random
  /** Whether an address belongs to what is to suffer. */
  readonly isVictim: (address: string) => boolean
}

/** One way to misbehave. */
export interface Mischief {
  readonly name: string
  /** How far it reaches: beyond one address, nothing is promised of what goes on meanwhile. */
  readonly scope: 'link' | 'session' | 'connection'
  /** Begins it; the peer is honest again once it is undone. */
  readonly begin: (scene: Scene) => void
}

const LINK_CONDITIONS = [
  'amqp:resource-deleted',
  'amqp:internal-error',
  'amqp:link:detach-forced',
  'amqp:link:redirect',
  'amqp:resource-limit-exceeded',
  'x:something-new',
]
const CONNECTION_CONDITIONS = [
  'amqp:connection:forced',
  'amqp:connection:redirect',
  'amqp:not-allowed',
  'amqp:unauthorized-access',
  'amqp:invalid-field',
  'amqp:internal-error',
]
const OUTCOMES: readonly Outcome[] = [
  { type: 'released' },
  { type: 'rejected' },
  { type: 'rejected', error: { condition: 'x:no', description: 'not today' } },
  { type: 'modified' },
  { type: 'modified', deliveryFailed: true },
  { type: 'modified', undeliverableHere: true },
]

const condition = ({ random }: Scene, from: readonly string[]): Condition => ({
  condition: random.pick(from),
  description: 'by the odd peer',
})
const victims = ({ peer, isVictim }: Scene, isIncoming: boolean): OddLink[] =>
  peer.connections.flatMap((connection) =>
    [...connection.sessions.values()].flatMap(({ links }) =>
      [...links.values()].filter((link) => link.isIncoming === isIncoming && isVictim(link.address)),
    ),
  )
const everywhere = ({ peer }: Scene, act: (connection: OddConnection) => void): void => {
  for (const connection of peer.connections) act(connection)
}
const raw = (name: string, bytes: () => Buffer): Mischief => ({
  name,
  scope: 'connection',
  begin: (scene) => everywhere(scene, (connection) => connection.write(bytes())),
})
/** What is announced to whoever connects from now on. */
const announced = (name: string, options: OddPeerOptions): Mischief => ({
  name,
  scope: 'connection',
  begin(scene) {
    Object.assign(scene.peer.options, options)
    everywhere(scene, (connection) => connection.reset())
  },
})
const muted = (name: Frame['name']): Mischief => ({
  name: `${name} is not answered`,
  scope: 'connection',
  begin(scene) {
    scene.peer.options.take = (frame) => frame.name === name
    everywhere(scene, (connection) => connection.reset())
  },
})
const addressOf = ({ fields }: Frame): string =>
  (fields.role === false ? fields.target?.address : fields.source?.address) ?? ''

const LINKS: readonly Mischief[] = [
  {
    name: 'credit is withheld',
    scope: 'link',
    begin(scene) {
      scene.peer.options.credit = (address) => (scene.isVictim(address) ? 0 : 1_000)
      for (const link of victims(scene, true)) link.giveCredit(0)
    },
  },
  {
    name: 'credit is given one by one',
    scope: 'link',
    begin(scene) {
      scene.peer.options.credit = (address) => (scene.isVictim(address) ? 1 : 1_000)
      for (const link of victims(scene, true)) link.giveCredit(1)
    },
  },
  {
    name: 'credit of 2^32-1',
    scope: 'link',
    begin: (scene) => victims(scene, true).forEach((link) => link.giveCredit(0xffffffff)),
  },
  {
    name: 'links are detached, and their attach is not answered',
    scope: 'link',
    begin(scene) {
      scene.peer.options.take = (frame) => frame.name === 'attach' && scene.isVictim(addressOf(frame))
      for (const link of victims(scene, scene.random.next() < 0.5)) link.detach(condition(scene, LINK_CONDITIONS))
    },
  },
  {
    name: 'links are detached, and refused',
    scope: 'link',
    begin(scene) {
      const error = condition(scene, ['amqp:not-found', ...LINK_CONDITIONS])
      scene.peer.options.refuse = (address) => (scene.isVictim(address) ? error : undefined)
      for (const each of [true, false]) for (const link of victims(scene, each)) link.detach(error)
    },
  },
  {
    name: 'links are detached without a reason',
    scope: 'link',
    begin: (scene) => victims(scene, scene.random.next() < 0.5).forEach((link) => link.detach()),
  },
  {
    name: 'links are attached without an address, and detached no more',
    scope: 'link',
    begin(scene) {
      for (const each of [true, false]) for (const link of victims(scene, each)) link.detach()
      scene.peer.options.say = (frame) =>
        frame.name === 'attach' &&
        scene.isVictim(addressOf({ ...frame, fields: { ...frame.fields, role: !frame.fields.role } }))
          ? { ...frame, fields: { ...frame.fields, source: null, target: null } }
          : frame
    },
  },
  {
    name: 'bad messages come',
    scope: 'link',
    begin(scene) {
      for (const link of victims(scene, false))
        for (const payload of Object.values(BAD_MESSAGES))
          if (link.credit > 0) link.deliver(payload, { settled: scene.random.next() < 0.5 })
    },
  },
  {
    name: 'random bytes come as messages',
    scope: 'link',
    begin(scene) {
      for (const link of victims(scene, false))
        for (let n = 0; n < 5 && link.credit > 0; n += 1)
          link.deliver(
            Buffer.from(Array.from({ length: scene.random.between(0, 300) }, () => scene.random.between(0, 255))),
          )
    },
  },
  {
    name: 'deliveries are aborted',
    scope: 'link',
    begin: (scene) =>
      victims(scene, false).forEach((link) => link.deliver(Buffer.alloc(3_000, 1), { frames: 3, aborted: true })),
  },
  {
    name: 'more comes than credit was given for',
    scope: 'link',
    begin(scene) {
      const bad = BAD_MESSAGES['an unknown type code'] ?? Buffer.alloc(0)
      for (const link of victims(scene, false)) for (let n = 0; n < 250; n += 1) link.deliver(bad)
    },
  },
  {
    name: 'messages are not taken',
    scope: 'link',
    begin(scene) {
      const outcome = scene.random.pick(OUTCOMES)
      scene.peer.options.outcome = (address) => (scene.isVictim(address) ? outcome : undefined)
    },
  },
  {
    name: 'outcomes are not told',
    scope: 'link',
    begin(scene) {
      scene.peer.options.outcome = (address) => (scene.isVictim(address) ? null : undefined)
    },
  },
  {
    name: 'messages are settled without an outcome',
    scope: 'session',
    begin(scene) {
      scene.peer.options.say = (frame) =>
        frame.name === 'disposition' ? { ...frame, fields: { ...frame.fields, state: null } } : frame
    },
  },
  {
    name: 'outcomes are told and not settled',
    scope: 'session',
    begin(scene) {
      scene.peer.options.say = (frame) =>
        frame.name === 'disposition' && frame.fields.role === true
          ? { ...frame, fields: { ...frame.fields, settled: false } }
          : frame
    },
  },
  {
    name: 'a message of several frames is rejected after the first',
    scope: 'link',
    begin(scene) {
      scene.peer.options.take = ({ name, fields, channel }, connection) => {
        if (name !== 'transfer' || fields.more !== true || fields.deliveryId === undefined) return false
        const state: Outcome = { type: 'rejected', error: { condition: 'x:too-large' } }
        const { deliveryId: first } = fields
        connection.say({ channel, name: 'disposition', fields: { role: true, first, settled: true, state } })
        return false
      }
    },
  },
]

const SESSIONS: readonly Mischief[] = [
  {
    name: 'the window is closed',
    scope: 'session',
    begin: (scene) => everywhere(scene, (connection) => connection.sessions.forEach((session) => session.window(0))),
  },
  {
    name: 'the window is tiny',
    scope: 'session',
    begin: (scene) => everywhere(scene, (connection) => connection.sessions.forEach((session) => session.window(2))),
  },
  {
    name: 'sessions are ended',
    scope: 'session',
    begin(scene) {
      const error = condition(scene, [...LINK_CONDITIONS, 'amqp:session:window-violation'])
      everywhere(scene, (connection) => [...connection.sessions.values()].forEach((session) => session.end(error)))
    },
  },
  {
    name: 'the outcome of everything there ever was is told at once',
    scope: 'session',
    begin(scene) {
      const state = scene.random.pick<Outcome>([{ type: 'accepted' }, { type: 'received' }])
      everywhere(scene, (connection) =>
        connection.sessions.forEach((session) => {
          for (const role of [true, false])
            session.say('disposition', { role, first: 0, last: 0xffffffff, settled: true, state })
        }),
      )
    },
  },
  {
    name: 'flows and transfers of links that there are not',
    scope: 'session',
    begin: (scene) =>
      everywhere(scene, (connection) =>
        connection.sessions.forEach((session) => {
          session.flow({ handle: 4_000_000_000, deliveryCount: 7, linkCredit: 3 })
          session.say('transfer', { handle: 77, deliveryId: 1, deliveryTag: Buffer.from('x') }, Buffer.from('x'))
        }),
      ),
  },
]

const CONNECTIONS: readonly Mischief[] = [
  { name: 'reset', scope: 'connection', begin: (scene) => everywhere(scene, (each) => each.reset()) },
  { name: 'ended without a word', scope: 'connection', begin: (scene) => everywhere(scene, (each) => each.end()) },
  {
    name: 'closed',
    scope: 'connection',
    begin(scene) {
      const error = scene.random.next() < 0.8 ? condition(scene, CONNECTION_CONDITIONS) : undefined
      everywhere(scene, (connection) => connection.close(error))
    },
  },
  {
    name: 'closed whenever something is attached',
    scope: 'connection',
    begin(scene) {
      const error = condition(scene, CONNECTION_CONDITIONS)
      scene.peer.options.take = ({ name }, connection) => name === 'attach' && (connection.close(error), true)
      everywhere(scene, (connection) => connection.reset())
    },
  },
  {
    name: 'silence',
    scope: 'connection',
    begin(scene) {
      scene.peer.options.take = (_frame, connection) => (connection.freeze(), true)
      everywhere(scene, (connection) => connection.freeze())
    },
  },
  raw('junk', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
  raw('a frame of 1.2 GB begins', () => Buffer.from([0x48, 0, 0, 0, 2, 0, 0, 0])),
  raw('a frame smaller than its head', () => Buffer.from([0, 0, 0, 3, 2, 0, 0, 0])),
  raw('a frame whose data begins beyond its end', () => Buffer.from([0, 0, 0, 9, 200, 0, 0, 0, 0])),
  raw('a frame of an unknown performative', () => rawFrame(0, encode.described(0x1f, encode.list([])))),
  raw('a frame on a channel nobody began', () => rawFrame(4_000, encode.described(0x13, encode.list([])))),
  raw('a frame of a list that is cut off', () =>
    rawFrame(0, Buffer.from([0x00, 0x53, 0x13, 0xd0, 0, 0, 0x10, 0, 0, 0, 0, 9])),
  ),
  raw('a frame of another type', () => rawFrame(0, Buffer.alloc(0), 9)),
  raw('the protocol header again', () => headerBytes(0)),
  raw('a second open', () => rawFrame(0, encode.described(0x10, encode.list([encode.string('again')])))),
  muted('header'),
  muted('open'),
  muted('begin'),
  muted('attach'),
  announced('handle-max 0', { handleMax: 0 }),
  announced('handle-max 3', { handleMax: 3 }),
  announced('channel-max 1', { channelMax: 1 }),
  announced('frames of 512 bytes', { maxFrameSize: 512 }),
  announced('frames of 40 bytes', { maxFrameSize: 40 }),
  announced('frames of no bytes', { maxFrameSize: 0 }),
  announced('idle-time-out 2^32-1', { idleTimeOut: 0xffffffff }),
  announced('idle-time-out 1', { idleTimeOut: 1 }),
  announced('a window of 1, topped up', { incomingWindow: 1 }),
  announced('no window', { incomingWindow: 0 }),
  announced('messages of 1 byte', { maxMessageSize: 1 }),
  announced('ids about to wrap', { firstDeliveryId: 0xfffffffd, initialDeliveryCount: 0xfffffffe }),
]

export const MISCHIEFS: readonly Mischief[] = [...LINKS, ...SESSIONS, ...CONNECTIONS]

/** Makes the peer honest again, also towards the links and sessions there are. What was announced to a connection, or
 *  sent as junk, cannot be unsaid: it is reset. */
export function undo(peer: OddPeer, honest: OddPeerOptions, scope: Mischief['scope']): void {
  for (const key of Object.keys(peer.options)) Reflect.deleteProperty(peer.options, key)
  Object.assign(peer.options, honest)
  for (const connection of peer.connections) {
    if (scope === 'connection') connection.reset()
    else
      for (const session of connection.sessions.values()) {
        session.window(null)
        for (const link of session.links.values()) if (link.isIncoming) link.giveCredit(1_000)
      }
  }
}
