import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

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
  /** Java system properties that `broker.xml` uses. `test.min.expiry` (10000): least time to live in milliseconds, -1
   *  for none. `test.credits` (1000): messages that a sender may be ahead. */
  readonly config?: Readonly<Record<string, string>>
  /** A second node on the same data, which waits and takes over when the first one ends. Default false; not together
   *  with `tls`. */
  readonly standby?: boolean
  /** Copies of all that comes to an address, for a reader outside: the queue of each by the address. */
  readonly copies?: Readonly<Record<string, string>>
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
/** `security-invalidation-interval` of broker.xml. */
const INVALIDATION_MS = 1000
const FILES = ['login.config', 'roles.properties', 'users.properties'] as const

/** ActiveMQ Artemis of our own: AMQP 1.0 with PLAIN, ANONYMOUS and without SASL. */
export class ArtemisBroker extends LocalBroker {
  /** A second port whose clients get ten credits and an idle time-out of two seconds. */
  readonly fewCreditsPort: number
  /** Undefined unless asked for. */
  readonly tls: ArtemisTls | undefined
  readonly #etc: string

  constructor(
    version: string,
    nodes: readonly ProcessNode[],
    ports: { readonly few: number; readonly tls: ArtemisTls | undefined; readonly etc: string },
    dispose: () => Promise<void>,
  ) {
    super({ name: 'artemis', version, source: 'packages', nodes, url: USER, dispose })
    this.fewCreditsPort = ports.few
    this.tls = ports.tls
    this.#etc = ports.etc
  }

  /** Takes all rights from the test user, or gives them back: from its next login on. Resolves when the broker has
   *  forgotten the last one. */
  async setRights(hasRights: boolean): Promise<void> {
    const usual = await readFile(recipe('artemis/roles.properties'), 'utf8')
    const roles = hasRights ? usual : usual.replace(`apps = ${USER.user},`, 'apps = ')
    await writeFile(path.join(this.#etc, 'roles.properties'), roles)
    await sleep(2 * INVALIDATION_MS)
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
  const program = await artemisJars(version)
  const workspace = await Workspace.create('artemis')
  try {
    const [few = 0, ...ports] = await freePorts(options.standby === true ? 4 : 2)
    const tls = options.tls === true ? await prepareTls(workspace) : undefined
    const etc = await writeFiles(workspace, options, tls)
    const encrypted = [tls?.port, tls?.mutualPort, tls?.otherHostPort].filter((port) => port !== undefined)
    // Which of two nodes answers is their own affair: the other one waits for the lock on the data.
    const pairs = options.standby === true ? [ports.slice(0, 1).concat(few), ports.slice(1)] : [[...ports, few]]
    const answers = async (): Promise<boolean> => {
      const plain = await Promise.all(
        pairs.map(async (pair) => (await Promise.all(pair.map((port) => answersAmqp10(at(port))))).every(Boolean)),
      )
      return plain.some(Boolean) && (await Promise.all(encrypted.map((port) => answersTcp(at(port))))).every(Boolean)
    }
    const nodes = pairs.map(([port = 0, fewCredits = 0], index) => {
      const name = `n${index + 1}`
      const properties = {
        'test.broker.etc': etc,
        'test.broker.data': workspace.path('data'),
        'test.port': String(port),
        'test.port.few': String(fewCredits),
        'java.security.auth.login.config': path.join(etc, 'login.config'),
        'org.slf4j.simpleLogger.defaultLogLevel': 'warn',
        ...options.config,
      }
      return new ProcessNode({
        broker: 'artemis',
        name,
        ...at(port),
        command: program.java,
        args: [
          '-Xms64m',
          '-Xmx512m',
          '-XX:+UseSerialGC',
          ...(options.jit === 'full' ? [] : ['-XX:TieredStopAtLevel=1']),
          ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
          '-cp',
          `${program.folder}/*`,
          recipe('artemis/Broker.java'),
          etc,
        ],
        env: process.env,
        workspace,
        logFile: workspace.path(`artemis-${name}.log`),
        answers,
      })
    })
    const broker = new ArtemisBroker(version, nodes, { few, tls, etc }, () => workspace.close())
    await broker.start().catch((error: unknown) => broker.kill().then(() => Promise.reject(error)))
    return broker
  } catch (error) {
    await workspace.close()
    throw error
  }
}

const at = (port: number) => ({ host: '127.0.0.1', port })

async function prepareTls(workspace: Workspace): Promise<ArtemisTls> {
  const folder = workspace.path('tls')
  await mkdir(folder)
  const [port = 0, mutualPort = 0, otherHostPort = 0] = await freePorts(3)
  return { port, mutualPort, otherHostPort, certificates: await makeCertificates('artemis', folder) }
}

/** Resolves to the folder of the configuration. */
async function writeFiles(
  workspace: Workspace,
  { standby = false, copies = {} }: ArtemisOptions,
  tls: ArtemisTls | undefined,
): Promise<string> {
  const etc = workspace.path('etc')
  await mkdir(etc)
  await Promise.all(FILES.map((file) => copyFile(recipe(`artemis/${file}`), path.join(etc, file))))
  const parts: Readonly<Record<string, string>> = {
    acceptors: tls === undefined ? '' : acceptorsFor(tls, tls.certificates),
    settings: `${standby ? SHARED_STORE : ''}${divertsFor(copies)}`,
    addresses: Object.values(copies)
      .map((name) => `<address name="${name}"><anycast><queue name="${name}"/></anycast></address>`)
      .join(''),
  }
  const broker = await readFile(recipe('artemis/broker.xml'), 'utf8')
  await workspace.write(
    'etc/broker.xml',
    broker.replaceAll(/<!-- more (\w+) -->/g, (_, part: string) => parts[part] ?? ''),
  )
  return etc
}

/** Both nodes are the first one, whoever has the lock on the data. */
const SHARED_STORE = '<ha-policy><shared-store><primary/></shared-store></ha-policy>'

function divertsFor(copies: Readonly<Record<string, string>>): string {
  const diverts = Object.entries(copies).map(
    ([from, to]) =>
      `<divert name="to-${to}"><address>${from}</address><forwarding-address>${to}</forwarding-address><exclusive>false</exclusive><routing-type>ANYCAST</routing-type></divert>`,
  )
  return diverts.length === 0 ? '' : `<diverts>${diverts.join('')}</diverts>`
}
