import { type Command, Option } from 'commander'
import { type MessagingConfig, planTopology, Target, type TopologyPlan, type TopologyUse } from '@oslo-messaging/core'
import { TransportURL } from '@oslo-messaging/core/driver'
import { readConfiguration, urlsAsOptions } from '../broker/connect.ts'
import { prioritiesOf } from '../broker/notification-choice.ts'
import { addConfigOptions, addUrlOptions, repeatable } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { notificationsUrlOf, registryOf } from '../config/groups.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { readDeployment } from '../scale/deployment.ts'
import { scaleOf } from '../scale/model.ts'
import { scaleText } from '../scale/text.ts'
import { jsonLine } from '../text/json.ts'
import { printable } from '../text/printable.ts'
import { tableText } from '../text/table.ts'
import { UsageError } from '../usage-error.ts'

interface TopologyOptions {
  readonly configFile: readonly string[]
  readonly configDir: readonly string[]
  readonly url?: string
  readonly notifyUrl?: string
  readonly server: readonly string[]
  readonly client: readonly string[]
  readonly notify: readonly string[]
  readonly listen: readonly string[]
  readonly priority: readonly string[]
  readonly exchange?: string
  readonly deployment?: string
  readonly format: string
  readonly json: boolean
}

const TABLE = 'table'

export function define(command: Command, act: (action: Action) => void): void {
  addUrlOptions(
    addConfigOptions(
      command.description(
        'What services with this configuration will declare, and where, by the code that declares it. Asks no broker.',
      ),
    ),
  )
    .addOption(repeatable('--server <topic[:name]>', 'an RPC server of the topic, by name'))
    .addOption(repeatable('--client <topic>', 'an RPC client of the topic'))
    .addOption(repeatable('--notify <topic>', 'a notifier'))
    .addOption(repeatable('--listen <topic[:pool]>', 'a listener, in a pool'))
    .addOption(repeatable('--priority <name>', 'of notifications; may be repeated (default: all)'))
    .option('--exchange <name>', 'instead of [DEFAULT] control_exchange')
    .option('--deployment <file>', 'how much N services of M processes hold: connections, channels, queues, memory')
    .addOption(
      new Option(
        '--format <name>',
        'table, or what the driver offers: rabbitmq (definitions.json), kafka (topics), permissions, kubernetes',
      ).default(TABLE),
    )
    .option('--json', 'print JSON, one object a line', false)
    .action((options: TopologyOptions) => act(async (io) => await show(options, io)))
}

async function show(options: TopologyOptions, io: Io): Promise<number> {
  const uses = usesOf(options)
  if (options.deployment !== undefined) return await showScale(options.deployment, uses, options, io)
  if (uses.length === 0) throw new UsageError('Whose topology? Give --server, --client, --notify or --listen')
  if (options.json && options.format !== TABLE)
    throw new UsageError('--json prints the table as JSON; --format has a form of its own: give one of them')
  const conf = await readConfiguration(options, io, urlsAsOptions(options))
  const registry = await registryOf(io)
  const plans: TopologyPlan[] = []
  for (const { section, some } of bySection(conf, uses))
    plans.push(await planTopology(conf, some, { section, registry }))
  if (options.format !== TABLE) io.out(documentOf(plans, options.format))
  else {
    const declarations = plans.flatMap((plan) => plan.declarations)
    io.out(options.json ? declarations.map(jsonLine).join('') : textOf(declarations))
  }
  return EXIT.done
}

/** How much a deployment holds at its brokers. */
async function showScale(
  file: string,
  uses: readonly TopologyUse[],
  options: TopologyOptions,
  io: Io,
): Promise<number> {
  if (uses.length > 0 || options.format !== TABLE)
    throw new UsageError(
      '--deployment names the services itself: take --server, --client, --notify, --listen and --format off',
    )
  const services = await readDeployment(file)
  const conf = await readConfiguration(options, io, urlsAsOptions(options))
  const registry = await registryOf(io)
  const rpcUrl = conf.get('DEFAULT', 'transport_url')
  const notifyUrl = notificationsUrlOf(conf)
  const driverOf = async (url: string): Promise<string> => (await registry.resolve(TransportURL.parse(url).scheme)).name
  const isOne = rpcUrl === notifyUrl
  const parts = [
    { section: 'default' as const, driver: await driverOf(rpcUrl), carries: { rpc: true, notifications: isOne } },
    ...(isOne
      ? []
      : [
          {
            section: 'notifications' as const,
            driver: await driverOf(notifyUrl),
            carries: { rpc: false, notifications: true },
          },
        ]),
  ]
  const scales = await scaleOf(services, parts, conf, registry)
  io.out(options.json ? scales.map(jsonLine).join('') : scaleText(scales))
  return EXIT.done
}

function usesOf(options: TopologyOptions): readonly TopologyUse[] {
  const { server, client, notify, listen, exchange = null } = options
  const priorities = prioritiesOf(options.priority)
  const rpc = { pool: null, priorities: [] }
  return [
    ...server.map((word) => {
      const { topic, name } = split(word, '--server')
      return { role: 'rpc-server' as const, target: new Target({ topic, exchange, server: name ?? '*' }), ...rpc }
    }),
    ...client.map((word) => ({ role: 'rpc-client' as const, target: targetOf(word, '--client', exchange), ...rpc })),
    ...notify.map((word) => ({
      role: 'notifier' as const,
      target: targetOf(word, '--notify', exchange),
      pool: null,
      priorities,
    })),
    ...listen.map((word) => {
      const { topic, name } = split(word, '--listen')
      return { role: 'listener' as const, target: new Target({ topic, exchange }), pool: name, priorities }
    }),
  ]
}

function targetOf(topic: string, option: string, exchange: string | null): Target {
  if (topic === '') throw new UsageError(`${option} needs a topic`)
  return new Target({ topic, exchange })
}

/** `TOPIC` or `TOPIC:NAME`. */
function split(word: string, option: string): { readonly topic: string; readonly name: string | null } {
  const at = word.indexOf(':')
  const [topic, name] = at < 0 ? [word, null] : [word.slice(0, at), word.slice(at + 1)]
  if (topic === '' || name === '')
    throw new UsageError(`${option} is written TOPIC or TOPIC:NAME, not ${JSON.stringify(word)}`)
  return { topic, name }
}

interface Part {
  readonly section: 'default' | 'notifications'
  readonly some: readonly TopologyUse[]
}

/** Calls and notifications each with their own broker, or all with the one that there is. */
function bySection(conf: MessagingConfig, uses: readonly TopologyUse[]): readonly Part[] {
  if (notificationsUrlOf(conf) === conf.get('DEFAULT', 'transport_url')) return [{ section: 'default', some: uses }]
  const isRpc = ({ role }: TopologyUse): boolean => role.startsWith('rpc')
  const parts: readonly Part[] = [
    { section: 'default', some: uses.filter(isRpc) },
    { section: 'notifications', some: uses.filter((use) => !isRpc(use)) },
  ]
  return parts.filter(({ some }) => some.length > 0)
}

function documentOf(plans: readonly TopologyPlan[], format: string): string {
  const found = plans.flatMap(({ documents }) => (Object.hasOwn(documents, format) ? [documents[format] ?? ''] : []))
  const [first] = found
  if (first === undefined) {
    const offered = [TABLE, ...new Set(plans.flatMap(({ documents }) => Object.keys(documents)))]
    throw new UsageError(`There is no format ${format} for this; there are ${offered.join(', ')}`)
  }
  if (found.length > 1)
    throw new UsageError(`Calls and notifications have a broker each: ask for the ${format} of one, then of the other`)
  return first
}

function textOf(declarations: TopologyPlan['declarations']): string {
  const rows = declarations.map(({ kind, name, properties, roles }) =>
    [kind, name, properties, roles.join(', ')].map(printable),
  )
  return tableText([['WHAT', 'NAME', 'PROPERTIES', 'DECLARED BY'], ...rows])
}
