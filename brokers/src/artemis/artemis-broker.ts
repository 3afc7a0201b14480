import { copyFile, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { type Certificates, makeCertificates } from '../certificates.ts'
import { LocalBroker } from '../local-broker.ts'
import { type Jars, jars } from '../maven.ts'
import { freePorts } from '../ports.ts'
import { answersAmqp10, answersTcp } from '../probe.ts'
import { ProcessNode } from '../process-node.ts'
import { recipe } from '../recipes.ts'
import { Workspace } from '../workspace.ts'
import { acceptorsFor, type TlsPorts } from './tls-acceptors.ts'

export interface ArtemisOptions {
  /** Default `2.55.0`. */
  readonly version?: string
  /** Java system properties that `broker.xml` uses. `test.min.expiry` (10000): least time to live in milliseconds, -1 for none. */
  readonly config?: Readonly<Record<string, string>>
  /** `quick` (default) starts in two seconds; `full` lets the JIT compiler do all it can, for benchmarks. */
  readonly jit?: 'quick' | 'full'
  /** Ports for TLS with certificates made for this broker. Default false: openssl is then not needed. */
  readonly tls?: boolean
}

/** TLS ports, and the files a client needs for them. */
export interface ArtemisTls extends TlsPorts {
  readonly certificates: Certificates
}

export const ARTEMIS_VERSION = '2.55.0'
/** May use every address; `admin:admin` may use `activemq.management`, `reader:reader` may only consume. */
const USER = { scheme: 'amqp', user: 'app', password: 'secret' } as const
const FILES = ['login.config', 'roles.properties', 'users.properties'] as const

/** ActiveMQ Artemis of our own: AMQP 1.0 with PLAIN, ANONYMOUS and without SASL. */
export class ArtemisBroker extends LocalBroker {
  /** A second port whose clients get ten credits and an idle time-out of two seconds. */
  readonly fewCreditsPort: number
  /** Undefined unless asked for. */
  readonly tls: ArtemisTls | undefined

  constructor(
    version: string,
    node: ProcessNode,
    ports: { readonly few: number; readonly tls: ArtemisTls | undefined },
    dispose: () => Promise<void>,
  ) {
    super({ name: 'artemis', version, source: 'packages', nodes: [node], url: USER, dispose })
    this.fewCreditsPort = ports.few
    this.tls = ports.tls
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
  try {
    const [port = 0, few = 0] = await freePorts(2)
    const tls = options.tls === true ? await prepareTls(workspace) : undefined
    const etc = await writeFiles(workspace, tls)
    const properties = {
      'test.broker.etc': etc,
      'test.broker.data': workspace.path('data'),
      'test.port': String(port),
      'test.port.few': String(few),
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
        ...(options.jit === 'full' ? [] : ['-XX:TieredStopAtLevel=1']),
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
        const plain = [port, few].map((each) => answersAmqp10({ host: '127.0.0.1', port: each }))
        const encrypted = [tls?.port, tls?.mutualPort, tls?.otherHostPort].map(
          (each) => each === undefined || answersTcp({ host: '127.0.0.1', port: each }),
        )
        return (await Promise.all([...plain, ...encrypted])).every(Boolean)
      },
    })
    const broker = new ArtemisBroker(version, node, { few, tls }, () => workspace.close())
    await broker.start().catch((error: unknown) => node.kill().then(() => Promise.reject(error)))
    return broker
  } catch (error) {
    await workspace.close()
    throw error
  }
}

async function prepareTls(workspace: Workspace): Promise<ArtemisTls> {
  const folder = workspace.path('tls')
  await mkdir(folder)
  const [port = 0, mutualPort = 0, otherHostPort = 0] = await freePorts(3)
  return { port, mutualPort, otherHostPort, certificates: await makeCertificates('artemis', folder) }
}

/** Resolves to the folder of the configuration. */
async function writeFiles(workspace: Workspace, tls: ArtemisTls | undefined): Promise<string> {
  const etc = workspace.path('etc')
  await mkdir(etc)
  await Promise.all(FILES.map((file) => copyFile(recipe(`artemis/${file}`), path.join(etc, file))))
  const broker = await readFile(recipe('artemis/broker.xml'), 'utf8')
  const acceptors = tls === undefined ? '' : acceptorsFor(tls, tls.certificates)
  await workspace.write(
    'etc/broker.xml',
    broker.replace('<!-- more acceptors -->', () => acceptors),
  )
  return etc
}
