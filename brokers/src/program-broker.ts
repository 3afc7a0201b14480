import { mkdir } from 'node:fs/promises'

import type { BrokerName, HostPort } from './broker.ts'
import { type DebianProgram, unpackedProgram } from './debian.ts'
import type { LocalBroker, LocalBrokerParts } from './local-broker.ts'
import { freePorts } from './ports.ts'
import { ProcessNode } from './process-node.ts'
import { Workspace } from './workspace.ts'

/** Who may do everything on such a broker. */
export const ACCOUNT = { user: 'app', password: 'secret' } as const

/** Where one server of a program is. */
export interface ProgramPlace {
  /** `n1`, `n2`, ... */
  readonly name: string
  /** Of 127.0.0.1, for clients. */
  readonly port: number
  /** For the other servers. */
  readonly peerPort: number
  /** Those of all servers, its own among them. */
  readonly peerPorts: readonly number[]
  /** A folder that is there and empty. */
  readonly data: string
}

/** How one program of a Debian package becomes a broker. */
export interface ProgramRecipe {
  readonly program: DebianProgram & { readonly name: BrokerName }
  /** Lines of the configuration file of one server, which lets `ACCOUNT` in. */
  readonly lines: (at: ProgramPlace) => readonly string[]
  /** How the program is told of that file. */
  readonly args: (file: string) => readonly string[]
  /** Asks once whether the protocol answers. */
  readonly answers: (target: HostPort) => Promise<boolean>
}

/** What a broker of one program is made from. */
export interface ProgramParts extends LocalBrokerParts {
  /** Writes the configuration file anew: `lines` as the recipe has them, changed. */
  readonly rewrite: (change: (line: string) => string) => Promise<void>
}

/** Starts the program, as one node unless more are wanted and in the default version unless one is. Rejects with
 *  BrokerUnavailable or BrokerStartFailed, and nothing is left behind then. */
export async function startProgram<Kind extends LocalBroker>(
  recipe: ProgramRecipe,
  { version: wanted, nodes: count = 1 }: { readonly version?: string | undefined; readonly nodes?: number | undefined },
  make: (parts: ProgramParts) => Kind,
): Promise<Kind> {
  const { program, lines, args, answers } = recipe
  const { name } = program
  const { command, version } = await unpackedProgram(program, wanted)
  const workspace = await Workspace.create(name)
  try {
    const ports = await freePorts(2 * count)
    const peerPorts = ports.slice(count)
    const places = peerPorts.map((peerPort, index): ProgramPlace => {
      const node = `n${index + 1}`
      return { name: node, port: ports[index] ?? 0, peerPort, peerPorts, data: workspace.path(node, 'data') }
    })
    const write = async (change: (line: string) => string): Promise<readonly string[]> =>
      await Promise.all(
        places.map((place) =>
          workspace.write(`${place.name}/${name}.conf`, `${lines(place).map(change).join('\n')}\n`),
        ),
      )
    const files = await write((line) => line)
    const nodes = await Promise.all(
      places.map(async ({ name: node, port, data }, index) => {
        await mkdir(data)
        const at = { host: '127.0.0.1', port } as const
        return new ProcessNode({
          broker: name,
          name: node,
          ...at,
          command,
          args: args(files[index] ?? ''),
          env: process.env,
          workspace,
          logFile: workspace.path(node, `${name}.log`),
          answers: () => answers(at),
        })
      }),
    )
    const broker = make({
      name,
      version,
      source: 'packages',
      nodes,
      url: { scheme: name, ...ACCOUNT },
      dispose: () => workspace.close(),
      rewrite: async (change) => void (await write(change)),
    })
    try {
      await broker.start()
    } catch (error) {
      await broker.kill()
      throw error
    }
    return broker
  } catch (error) {
    await workspace.close()
    throw error
  }
}
