import type { BrokerNode } from './broker.ts'
import { poll } from './deadline.ts'
import { BrokerStartFailed, BrokerUnavailable } from './errors.ts'
import { findCommand, progress, run } from './run.ts'
import type { Workspace } from './workspace.ts'

let answer: Promise<boolean> | undefined

/** Whether a Docker engine answers on this machine; asked once. */
export function dockerAnswers(): Promise<boolean> {
  answer ??= (async () => {
    if ((await findCommand('docker')) === undefined) return false
    const result = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 3000 })
    return result.code === 0 && result.stdout.trim() !== ''
  })()
  return answer
}

export interface ContainerOptions {
  readonly broker: string
  readonly image: string
  readonly workspace: Workspace
  readonly host: string
  /** The port on 127.0.0.1 of this machine ... */
  readonly port: number
  /** ... and all published ports, as `outside:inside`. */
  readonly publish: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Files of this machine to show inside, read-only: outside path to inside path. */
  readonly files?: Readonly<Record<string, string>>
  readonly hostname?: string
  readonly answers: () => Promise<boolean>
}

/** A broker in a container. It keeps its data over stop, kill and start; it is removed with the workspace. */
export class ContainerNode implements BrokerNode {
  readonly name: string
  readonly host: string
  readonly port: number
  /** A container has a process id only on its engine's machine. */
  readonly pid: undefined = undefined
  readonly #options: ContainerOptions

  private constructor(name: string, options: ContainerOptions) {
    this.name = name
    this.host = options.host
    this.port = options.port
    this.#options = options
  }

  /** Makes the container, fetching its image first; it is not started yet. Rejects with BrokerUnavailable when there is
   *  no such image. */
  static async create(options: ContainerOptions): Promise<ContainerNode> {
    const { broker, image, workspace } = options
    if ((await run('docker', ['image', 'inspect', image])).code !== 0) {
      progress(`pulling ${image}`)
      const pulled = await run('docker', ['pull', image], {
        onLine: (line) => {
          if (line.includes('Pull complete')) progress(`${image}: ${line}`)
        },
      })
      if (pulled.code !== 0) {
        throw new BrokerUnavailable(
          broker,
          `image ${image} cannot be pulled (${pulled.stderr.trim()})`,
          `run: docker pull ${image}`,
        )
      }
    }
    const name = `${workspace.folder.split('/').at(-1)}-${options.port}`
    // Listed before it exists, so that it cannot be left behind.
    await workspace.adopt('containers', name)
    const args = [
      'create',
      '--name',
      name,
      ...(options.hostname === undefined ? [] : ['--hostname', options.hostname]),
      ...options.publish.flatMap((ports) => ['-p', `127.0.0.1:${ports}`]),
      ...Object.entries(options.env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
      ...Object.entries(options.files ?? {}).flatMap(([outside, inside]) => ['-v', `${outside}:${inside}:ro`]),
      image,
    ]
    const made = await run('docker', args)
    if (made.code !== 0) throw new BrokerStartFailed(broker, `docker create ended with ${made.code}`, made.stderr)
    return new ContainerNode(name, options)
  }

  async start(): Promise<void> {
    await this.#docker('start')
    const timeoutMs = 120_000
    try {
      await poll(async () => (await this.#options.answers()) || undefined, {
        timeoutMs,
        late: () =>
          new BrokerStartFailed(this.#options.broker, `no answer on port ${this.port} within ${timeoutMs} ms`, ''),
      })
    } catch (error) {
      const { stdout, stderr } = await run('docker', ['logs', '--tail', '30', this.name])
      throw new BrokerStartFailed(this.#options.broker, `container ${this.name} does not answer`, stdout + stderr, {
        cause: error,
      })
    }
  }

  async stop(): Promise<void> {
    await this.#docker('stop')
  }

  async kill(): Promise<void> {
    if (await this.#isRunning()) await this.#docker('kill')
  }

  async freeze(): Promise<void> {
    await this.#docker('pause')
  }

  async thaw(): Promise<void> {
    await this.#docker('unpause')
  }

  /** Removes the container and its data. */
  async remove(): Promise<void> {
    await this.#docker('rm', '-f', '-v')
    await this.#options.workspace.disown('containers', this.name)
  }

  async #isRunning(): Promise<boolean> {
    const result = await run('docker', ['inspect', '--format', '{{.State.Running}}', this.name])
    return result.stdout.trim() === 'true'
  }

  async #docker(command: string, ...flags: string[]): Promise<void> {
    const result = await run('docker', [command, ...flags, this.name])
    if (result.code !== 0) throw new Error(`docker ${command} ${this.name}: ${result.stderr.trim()}`)
  }
}
