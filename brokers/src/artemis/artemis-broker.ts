import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'

import { LocalBroker } from '../local-broker.ts'
import { type Jars, jars } from '../maven.ts'
import { freePorts } from '../ports.ts'
import { answersAmqp10 } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import { recipe } from '../recipes.ts'
import { Workspace } from '../workspace.ts'

export interface ArtemisOptions {
  /** Default `2.55.0`. */
  readonly version?: string
  /** Java system properties, for a `broker.xml` that uses them. */
  readonly config?: Readonly<Record<string, string>>
}

export const ARTEMIS_VERSION = '2.55.0'
/** May use every address; `admin:admin` may use `activemq.management`, `reader:reader` may only consume. */
const USER = { scheme: 'amqp', user: 'app', password: 'secret' } as const
const FILES = ['broker.xml', 'login.config', 'roles.properties', 'users.properties'] as const

/** ActiveMQ Artemis of our own: AMQP 1.0 with PLAIN, ANONYMOUS and without SASL. */
export class ArtemisBroker extends LocalBroker {
  /** A second port whose clients get ten credits and an idle time-out of two seconds. */
  readonly fewCreditsPort: number

  constructor(version: string, node: ProcessNode, fewCreditsPort: number, dispose: () => Promise<void>) {
    super({ name: 'artemis', version, source: 'packages', nodes: [node], url: USER, dispose })
    this.fewCreditsPort = fewCreditsPort
  }
}

/** The jars of a version in the cache, fetched when they are not there. Rejects with BrokerUnavailable. */
export function artemisJars(version: string): Promise<Jars> {
  return jars({
    broker: 'artemis',
    version,
    pom: 'artemis/pom.xml',
    properties: { 'artemis.version': version },
    remedy: 'or set RPC_TRANSPORT_URL to an amqp:// URL of a broker that is there',
  })
}

/** Starts Artemis from jars fetched by Maven coordinates. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startArtemisFromPackages(options: ArtemisOptions = {}): Promise<ArtemisBroker> {
  const version = options.version ?? ARTEMIS_VERSION
  const { folder, java } = await artemisJars(version)
  const workspace = await Workspace.create('artemis')
  const [port = 0, fewCreditsPort = 0] = await freePorts(2)
  const etc = workspace.path('etc')
  await mkdir(etc)
  await Promise.all(FILES.map((file) => copyFile(recipe(`artemis/${file}`), path.join(etc, file))))
  const properties = {
    'test.broker.etc': etc,
    'test.broker.data': workspace.path('data'),
    'test.port': String(port),
    'test.port.few': String(fewCreditsPort),
    'java.security.auth.login.config': path.join(etc, 'login.config'),
    'org.slf4j.simpleLogger.defaultLogLevel': 'warn',
    ...options.config,
  }
  const node = new ProcessNode({
    broker: 'artemis',
    name: 'n1',
    host: '127.0.0.1',
    port,
    command: java,
    args: [
      '-Xms64m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
      '-cp',
      `${folder}/*`,
      recipe('artemis/Broker.java'),
      etc,
    ],
    env: process.env,
    workspace,
    logFile: workspace.path('artemis.log'),
    answers: async () => {
      const both = await Promise.all(
        [port, fewCreditsPort].map((each) => answersAmqp10({ host: '127.0.0.1', port: each })),
      )
      return both.every(Boolean)
    },
  })
  const broker = new ArtemisBroker(version, node, fewCreditsPort, () => workspace.close())
  try {
    await broker.start()
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
