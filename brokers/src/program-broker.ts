import { mkdir } from 'node:fs/promises'

import type { BrokerName, HostPort } from './broker.ts'
import { type DebianProgram, unpackedProgram } from './debian.ts'
import type { LocalBroker, LocalBrokerParts } from './local-broker.ts'
import { freePorts } from './ports.ts'
import { ProcessNode } from './process-node.ts'
import { Workspace } from './workspace.ts'

/** Who may do everything on such a broker. */
export const ACCOUNT = { user: 'app', password: 'secret' } as const

/** How one program of a Debian package becomes a broker. */
export interface ProgramRecipe {
  readonly program: DebianProgram & { readonly name: BrokerName }
  /** Lines of the configuration file for a server at that port of 127.0.0.1 that keeps its data in that folder, which
   *  is there and empty, and that lets `ACCOUNT` in. */
  readonly lines: (at: { readonly port: number; readonly data: string }) => readonly string[]
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

/** Starts the program as one node, in the default version unless one is wanted. Rejects with BrokerUnavailable or
 *  BrokerStartFailed, and nothing is left behind then. */
export async function startProgram<Kind extends LocalBroker>(
  recipe: ProgramRecipe,
  wanted: string | undefined,
  make: (parts: ProgramParts) => Kind,
): Promise<Kind> {
  const { program, lines, args, answers } = recipe
  const { name } = program
  const { command, version } = await unpackedProgram(program, wanted)
  const workspace = await Workspace.create(name)
  try {
    const [port = 0] = await freePorts(1)
    const data = workspace.path('data')
    await mkdir(data)
    const write = (change: (line: string) => string): Promise<string> =>
      workspace.write(`${name}.conf`, `${lines({ port, data }).map(change).join('\n')}\n`)
    const file = await write((line) => line)
    const at = { host: '127.0.0.1', port } as const
    const node = new ProcessNode({
      broker: name,
      name: 'n1',
      ...at,
      command,
      args: args(file),
      env: process.env,
      workspace,
      logFile: workspace.path(`${name}.log`),
      answers: () => answers(at),
    })
    const broker = make({
      name,
      version,
      source: 'packages',
      nodes: [node],
      url: { scheme: name, ...ACCOUNT },
      dispose: () => workspace.close(),
      rewrite: async (change) => void (await write(change)),
    })
    // A node whose start fails ends its process itself.
    await broker.start()
    return broker
  } catch (error) {
    await workspace.close()
    throw error
  }
}
