import path from 'node:path'

import type { BrokerNode } from '../broker.ts'
import { answersAmqp091, answersTcp } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import type { Workspace } from '../workspace.ts'
import type { RabbitConsole } from './erlang.ts'
import type { RabbitPackages } from './packages.ts'

export interface RabbitNodeOptions {
  readonly packages: RabbitPackages
  readonly workspace: Workspace
  /** `n1`, `n2`: the Erlang node is `n1@localhost`. */
  readonly name: string
  readonly port: number
  readonly distributionPort: number
  readonly epmdPort: number
  readonly cookie: string
  readonly plugins: readonly string[]
  /** Lines of rabbitmq.conf. */
  readonly config: Readonly<Record<string, string>>
}

/** Writes the node's files and makes the process that runs them; it is not started yet. */
export async function rabbitNode(options: RabbitNodeOptions): Promise<{ node: ProcessNode; console: RabbitConsole }> {
  const { workspace, name, port } = options
  const env = environment(options)
  await workspace.write(`${name}/enabled_plugins`, `[${options.plugins.join(',')}].\n`)
  const lines = Object.entries(options.config).map(([key, value]) => `${key} = ${value}\n`)
  await workspace.write(`${name}/rabbitmq.conf`, lines.join(''))
  const node = new ProcessNode({
    broker: 'rabbit',
    name,
    host: '127.0.0.1',
    port,
    command: path.join(options.packages.root, 'usr/lib/rabbitmq/bin/rabbitmq-server'),
    args: [],
    env,
    workspace,
    cwd: workspace.path(name),
    logFile: workspace.path(name, 'out.log'),
    answers: () => answersAmqp091({ host: '127.0.0.1', port }),
  })
  return { node, console: { kind: 'erl_call', node: `${name}@localhost`, cookie: options.cookie, env } }
}

/** Erlang's port mapper, our own and in the foreground: a node that finds none starts one that nobody ever stops. */
export function epmd(packages: RabbitPackages, workspace: Workspace, port: number): BrokerNode {
  return new ProcessNode({
    broker: 'rabbit',
    name: 'epmd',
    host: '127.0.0.1',
    port,
    command: path.join(packages.root, 'usr/lib/erlang/bin/epmd'),
    args: [],
    env: { PATH: '/usr/bin:/bin', ERL_EPMD_PORT: String(port), ERL_EPMD_ADDRESS: '127.0.0.1' },
    workspace,
    logFile: workspace.path('epmd.log'),
    answers: () => answersTcp({ host: '127.0.0.1', port }),
  })
}

function environment(options: RabbitNodeOptions): NodeJS.ProcessEnv {
  const { workspace, name, packages } = options
  const inNode = (file: string): string => workspace.path(name, file)
  return {
    PATH: `${packages.root}/usr/lib/erlang/bin:${packages.root}/usr/lib/rabbitmq/bin:/usr/bin:/bin`,
    LANG: 'C.UTF-8',
    HOME: workspace.path('home'),
    ERL_ROOTDIR: `${packages.root}/usr/lib/erlang`,
    ERL_EPMD_PORT: String(options.epmdPort),
    // Both bind every interface unless told otherwise.
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_NODENAME: `${name}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(options.port),
    RABBITMQ_DIST_PORT: String(options.distributionPort),
    RABBITMQ_CTL_DIST_PORT_MIN: String(options.distributionPort + 1),
    RABBITMQ_CTL_DIST_PORT_MAX: String(options.distributionPort + 9),
    RABBITMQ_MNESIA_BASE: inNode('mnesia'),
    RABBITMQ_LOG_BASE: inNode('log'),
    RABBITMQ_LOGS: inNode('log/node.log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inNode('enabled_plugins'),
    RABBITMQ_CONFIG_FILE: inNode('rabbitmq.conf'),
    RABBITMQ_PID_FILE: inNode('pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    // The start script then becomes the broker instead of standing in front of it: its pid is the one to kill.
    detached: '1',
  }
}
