import { resolve } from 'node:path'
import type { Command } from 'commander'
import { createDriver } from 'create-oslo-messaging-driver'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

export function define(command: Command, act: (action: Action) => void): void {
  command.description('Drivers of your own.')
  command
    .command('new')
    .summary('a package for a driver, which passes its tests at once')
    .description(
      'Writes a package for a driver of your own: source, types, tests of the conformance suite, and CI. The same as npm create oslo-messaging-driver.',
    )
    .argument('<name>', 'scheme of its URLs: lower-case letters and digits')
    .argument('[folder]', 'where to; new or empty (default: oslo-messaging-driver-<name>)')
    .option('--json', 'print JSON, one object a line', false)
    .action((name: string, folder: string | undefined, { json }: { readonly json: boolean }) =>
      act(async (io) => await create(name, folder ?? `oslo-messaging-driver-${name}`, json, io)),
    )
}

async function create(name: string, folder: string, json: boolean, io: Io): Promise<number> {
  let files: readonly string[]
  try {
    files = await createDriver(name, resolve(folder))
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
  io.out(json ? jsonLine({ folder, files }) : `${files.join('\n')}\n\ncd ${folder}\nnpm install\nnpm test\n`)
  return EXIT.done
}
