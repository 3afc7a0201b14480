/** Which guide explains what is declared where: the longest beginning of a source's path decides. An export without a
 *  guide fails the build. */
const GUIDES = [
  ['packages/core/src/rpc/', 'rpc'],
  ['packages/core/src/target', 'rpc'],
  ['packages/core/src/server/', 'rpc'],
  ['packages/core/src/notify/', 'notifications'],
  ['packages/core/src/serializer/', 'values'],
  ['packages/core/src/rpc/on-the-wire', 'values'],
  ['packages/core/src/wire/', 'errors'],
  ['packages/core/src/errors', 'errors'],
  ['packages/core/src/config/', 'config'],
  ['packages/core/src/url/', 'config'],
  ['packages/core/src/transport/interceptor', 'interceptors'],
  ['packages/core/src/transport/', 'rpc'],
  ['packages/core/src/transport/broker-admin', 'operations'],
  ['packages/core/src/transport/bus', 'driver-authors'],
  ['packages/core/src/idempotency/', 'idempotency'],
  ['packages/core/src/messaging/', 'operations'],
  ['packages/core/src/probes/', 'operations'],
  ['packages/core/src/diagnostics/', 'diagnostics'],
  ['packages/core/src/registry/', 'driver-authors'],
  ['packages/core/src/driver/', 'driver-authors'],
  ['packages/core/src/driver/health', 'operations'],
  ['packages/core/src/util/', 'driver-authors'],
  ['packages/core/src/memory/', 'testing'],
  ['packages/core/src/testing', 'testing'],
  ['packages/rabbit/', 'rabbit'],
  ['packages/amqp/', 'amqp'],
  ['packages/kafka/', 'kafka-deployment-guide'],
  ['packages/nats/', 'nats'],
  ['packages/redis/', 'redis'],
  ['packages/conformance/', 'driver-authors'],
  ['packages/conformance/src/history/', 'certification'],
  ['packages/cli/', 'cli'],
  ['packages/openstack/', 'openstack'],
  ['packages/nestjs/', 'nestjs'],
  ['packages/fastify/', 'fastify'],
  ['packages/middleware/', 'middleware'],
  ['packages/cadf/', 'audit'],
  ['packages/audit/', 'audit'],
]

/** Rooms of generated facts: hundreds of exports of one kind, which have no page of their own. */
export const GENERATED = ['packages/openstack/src/facts/']

/** Guides in the order they are read, by the group of the sidebar. */
export const SIDEBAR = [
  {
    text: 'Begin',
    pages: ['index', 'rpc', 'notifications', 'idempotency', 'values', 'errors', 'testing', 'interceptors', 'migrating'],
  },
  { text: 'Drivers', pages: ['rabbit', 'amqp', 'kafka-deployment-guide', 'nats', 'redis'] },
  {
    text: 'Running it',
    pages: [
      'cli',
      'config',
      'operations',
      'failures',
      'diagnostics',
      'performance',
      'support',
      'upgrading',
      'security',
      'threat-model',
      'dependencies',
    ],
  },
  {
    text: 'Writing drivers',
    pages: [
      'driver-authors',
      'driver-recovery',
      'driver-bounds',
      'driver-replies',
      'driver-settling',
      'driver-shutdown',
      'certification',
    ],
  },
  { text: 'Beside OpenStack', pages: ['interop', 'openstack'] },
  { text: 'Frameworks', pages: ['nestjs', 'fastify', 'middleware', 'audit'] },
]

/** The guide of a source file: by its room, else the README of its package, which is one idea. Undefined: none. */
export function guideOf(file) {
  const [, guide] =
    GUIDES.filter(([beginning]) => file.startsWith(beginning)).toSorted(
      ([one], [other]) => other.length - one.length,
    )[0] ?? []
  return guide ?? /^(packages\/(?!core\/).+)\/src\//.exec(file)?.[1]?.concat('/index')
}
