import { Command, CommanderError, Help, type Option } from 'commander'
import { type Action, COMMANDS } from './command.ts'
import { EXIT } from './exit-code.ts'
import { createIo, type Io, type RunOptions } from './io.ts'
import { FOOTER, version } from './program.ts'
import { suggest } from './suggest.ts'
import { errorText } from './text/error-text.ts'
import { printable } from './text/printable.ts'
import { fold } from './text/table.ts'
import { UsageError } from './usage-error.ts'

/** Runs one command. Resolves with the exit code (docs/cli.md has the table); what went wrong is one line for `err`.
 *  Never rejects. */
export async function run(argv: readonly string[], options: RunOptions): Promise<number> {
  const io = createIo(options)
  const [name = ''] = argv
  const hint = Object.hasOwn(COMMANDS, name) ? `oslo-msg ${name} --help` : 'oslo-msg --help'
  return await guard('oslo-msg', hint, io, async () => await execute(argv, io))
}

/** Turns whatever is thrown into one line and an exit code. */
export async function guard(program: string, hint: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    // Help was asked for, and commander has printed it.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done
    const isUsage = error instanceof UsageError || error instanceof CommanderError
    const text = printable(errorText(error))
    io.err(`${program}: ${text.replace(/^error: /, '')}${isUsage ? ` (${hint})` : ''}\n`)
    if (io.env['OSLO_MSG_STACK'] === '1' && error instanceof Error) io.err(`${error.stack ?? ''}\n`)
    return isUsage ? EXIT.usage : EXIT.failed
  }
}

async function execute(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv
  if (name === '--version' || name === '-V') {
    io.out(`${version()}\n`)
    return EXIT.done
  }
  if (name === undefined)
    throw new UsageError('Which command? For example: oslo-msg ping TOPIC --config-file service.conf')
  if (name === '--help' || name === '-h') return overview(io)
  if (name === 'help') return rest[0] === undefined ? overview(io) : await execute([rest[0], '--help'], io)
  if (name.startsWith('-')) throw new UsageError(`The command comes first: oslo-msg COMMAND, then ${name}`)
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry === undefined) {
    const meant = suggest(name, Object.keys(COMMANDS))
    throw new UsageError(`There is no command ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
  }
  const command = prepare(new Command(`oslo-msg ${name}`), io).summary(entry.summary)
  let chosen: Action | undefined
  const module = await entry.load()
  module.define(command, (action) => (chosen = action))
  await command.parseAsync([...(module.rewrite?.(rest) ?? rest)], { from: 'user' })
  if (chosen === undefined) throw new UsageError(`oslo-msg ${name} needs to be told what`)
  return await chosen(io)
}

/** Gives a command this program's voice: its streams, its width, and errors that are thrown. */
export function prepare(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'show this')
    .configureHelp({
      optionDescription: describeOption,
      commandUsage: (each) => usageOf(each, io.columns),
      minWidthToWrap: 20,
      ...(io.columns < NARROW ? { formatItem: stack(io) } : {}),
    })
    .configureOutput({
      writeOut: io.out,
      // `guard` says what was wrong, on one line.
      writeErr: () => {},
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => io.colour,
    })
}

const USAGE = 'Usage: '

/** Commander folds everything but this line. */
function usageOf(command: Command, columns: number): string {
  const lines = fold(new Help().commandUsage(command), columns - USAGE.length).split('\n')
  return lines.join(`\n${' '.repeat(USAGE.length)}`)
}

/** Below so many columns descriptions stand under what they describe. */
const NARROW = 60

function stack(io: Io) {
  return (term: string, _width: number, description: string): string =>
    `  ${term}${description === '' ? '' : `\n${fold(description, io.columns, '      ')}`}`
}

/** With its choices and its default, where they say something. */
function describeOption({ description, argChoices, defaultValue }: Option): string {
  const isPlain = typeof defaultValue === 'string' || typeof defaultValue === 'number'
  const extra = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(isPlain ? [`default: ${defaultValue}`] : []),
  ]
  return extra.length === 0 ? description : `${description} (${extra.join('; ')})`
}

function overview(io: Io): number {
  const program = prepare(new Command('oslo-msg'), io)
    .usage('COMMAND ...')
    .description('What an operator asks of the messaging of a deployment, whichever broker it has.')
    .addHelpCommand(
      new Command('help').helpGroup('Other:').arguments('COMMAND').description('what a command does, and its options'),
    )
    .option('-V, --version', 'show the version')
  for (const [name, { summary, group }] of Object.entries(COMMANDS))
    program.addCommand(new Command(name).helpGroup(group).description(summary).helpOption(false))
  io.out(`${program.helpInformation()}\n${FOOTER}`)
  return EXIT.done
}
