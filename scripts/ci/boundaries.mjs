import { readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { filesBelow, importsOf, packagesIn, root, verdict } from './tools.mjs'

const CLIENT_LIBRARIES = [
  'amqplib',
  'kafkajs',
  '@platformatic/kafka',
  'rhea',
  '@nats-io/transport-node',
  '@nats-io/jetstream',
  '@redis/client',
]
const DOORS = [
  '@oslo-messaging/core',
  '@oslo-messaging/core/driver',
  '@oslo-messaging/core/probes',
  '@oslo-messaging/core/testing',
]

/** Folders of core, and the folders above them, which they must not know. */
const UPPER = {
  util: [
    'url',
    'config',
    'registry',
    'driver',
    'transport',
    'wire',
    'serializer',
    'server',
    'rpc',
    'notify',
    'memory',
    'testing',
    'messaging',
    'probes',
  ],
  url: ['registry', 'transport', 'server', 'rpc', 'notify', 'memory', 'testing', 'messaging', 'probes'],
  wire: ['registry', 'transport', 'server', 'rpc', 'notify', 'memory', 'testing', 'messaging', 'probes'],
  config: ['registry', 'transport', 'server', 'rpc', 'notify', 'memory', 'testing', 'messaging', 'probes'],
  driver: ['registry', 'transport', 'server', 'rpc', 'notify', 'memory', 'testing', 'messaging', 'probes'],
  registry: ['transport', 'server', 'rpc', 'notify', 'messaging', 'probes'],
  transport: ['rpc', 'notify', 'messaging', 'probes'],
  server: ['registry', 'rpc', 'notify', 'messaging', 'probes'],
  rpc: ['notify', 'messaging', 'probes'],
  notify: ['rpc', 'messaging', 'probes'],
  memory: ['rpc', 'notify', 'server', 'transport', 'messaging', 'probes'],
  testing: ['rpc', 'notify', 'server', 'transport', 'messaging', 'probes'],
}

/** Drivers whose definition is their index. */
const SMALL_DRIVER = {
  rooms: [
    'index',
    'driver',
    'admin',
    'rpc',
    'receive',
    'send',
    'connection',
    'client',
    'topology',
    'wire',
    'settings',
    'config',
  ],
  clientRooms: ['client'],
}

/** The rooms of a driver package from the top floor down: nothing points upwards. Files at the root of `src` are rooms
 *  of their own. */
const FLOORS = {
  amqp: {
    rooms: [
      'index',
      'definition',
      'driver',
      'admin',
      'rpc',
      'receive',
      'send',
      'topology',
      'connection',
      'session',
      'wire',
      'client',
      'settings',
      'config',
    ],
    clientRooms: ['client'],
  },
  rabbit: {
    rooms: [
      'index',
      'driver',
      'admin',
      'rpc',
      'receive',
      'send',
      'topology',
      'connection',
      'wire',
      'client',
      'settings',
      'config',
    ],
    /** The only ones that import the client library. */
    clientRooms: ['client'],
  },
  kafka: {
    rooms: [
      'index',
      'open',
      'driver',
      'admin',
      'receive',
      'positions',
      'send',
      'kafkajs',
      'platformatic',
      'wire',
      'settings',
      'port',
      'topology',
      'capabilities',
      'config',
    ],
    clientRooms: ['kafkajs', 'platformatic'],
  },
  redis: SMALL_DRIVER,
  nats: SMALL_DRIVER,
}

/** Packages that are no drivers: they use the door of applications. */
const NO_DRIVERS = [
  'core',
  'conformance',
  'cli',
  'openstack',
  'opentelemetry',
  'nestjs',
  'oslo-metrics',
  'prometheus',
  'fastify',
  'middleware',
  'cadf',
  'audit',
]

const isBelow = (folder, path) => !relative(folder, path).startsWith('..')

/** Who may import whom: core never a driver, a driver of core only its published door, nobody the inside of another
 *  package. */
export function checkBoundaries() {
  const complaints = []
  const packages = [...packagesIn('packages'), ...packagesIn('examples')]
  let count = 0
  for (const { folder, manifest } of packages) {
    for (const file of filesBelow(folder, ['.ts'])) {
      count += 1
      const part = relative(folder, file).split(/[\\/]/)[0]
      for (const name of importsOf(readFileSync(join(root, file), 'utf8'))) {
        const why = name.startsWith('.')
          ? objectionToPath(folder, file, part, normalize(join(dirname(file), name)))
          : objectionToPackage(folder, file, part, name, manifest)
        if (why !== undefined) complaints.push(`${file} imports ${name}: ${why}`)
      }
    }
  }
  return verdict(complaints, `${count} files import only what they may`)
}

function objectionToPath(folder, file, part, path) {
  // Tests may look at what the workspace's own scripts write.
  if (part === 'test' && isBelow('scripts', path)) return undefined
  if (!isBelow(folder, path)) return 'that is the inside of another package; use its published doors'
  if (part === 'src' && !isBelow(join(folder, 'src'), path)) return 'what is shipped imports only what is shipped'
  if (part === 'src' && FLOORS[basename(folder)] !== undefined) return objectionToFloor(folder, file, path)
  if (folder !== join('packages', 'core') || part !== 'src') return undefined
  const host = join(folder, 'src', 'driver', 'host')
  const isHost = isBelow(host, path) && !isBelow(host, file)
  const [from, to] = [file, path].map((each) => relative(join(folder, 'src'), each).split(/[\\/]/)[0])
  if (isHost && from !== 'transport') return "driver/host is core's side of a driver; only transports use it"
  return UPPER[from]?.includes(to) ? `${from} is below ${to}; nothing points upwards` : undefined
}

const roomOf = (folder, path) => relative(join(folder, 'src'), path).split(/[\\/]/)[0].replace(/\.ts$/, '')

function objectionToFloor(folder, file, path) {
  const { rooms } = FLOORS[basename(folder)]
  const [from, to] = [file, path].map((each) => roomOf(folder, each))
  for (const room of [from, to])
    if (!rooms.includes(room)) return `${room} is no room of ${folder}: ${rooms.join(', ')}`
  return rooms.indexOf(to) < rooms.indexOf(from) ? `${from} is below ${to}; nothing points upwards` : undefined
}

function objectionToPackage(folder, file, part, name, manifest) {
  const isOurs = name.startsWith('@oslo-messaging/')
  const floors = FLOORS[basename(folder)]
  if (
    part === 'src' &&
    floors !== undefined &&
    CLIENT_LIBRARIES.includes(name) &&
    !floors.clientRooms.includes(roomOf(folder, file))
  )
    return `only ${floors.clientRooms.join(', ')} may know the client library`
  const isDriver = folder.startsWith('packages') && !NO_DRIVERS.some((each) => folder.endsWith(each))
  if (folder === join('packages', 'core')) {
    if (CLIENT_LIBRARIES.includes(name)) return 'core knows no client library'
    return isOurs && !name.startsWith('@oslo-messaging/core') && part === 'src'
      ? 'core knows no other package'
      : undefined
  }
  if (isOurs && name.startsWith('@oslo-messaging/core') && !DOORS.includes(name))
    return 'core has four doors, this is none'
  const isDriverSource = isDriver || manifest.name.startsWith('oslo-messaging-driver-')
  if (!isDriverSource || part !== 'src' || file.endsWith('main.ts')) return undefined
  return isOurs && name !== '@oslo-messaging/core/driver' ? 'a driver uses @oslo-messaging/core/driver only' : undefined
}
