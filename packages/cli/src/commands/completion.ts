import { Command } from 'commander'
import { type Action, type CommandModule, COMMANDS } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

export function define(command: Command, act: (action: Action) => void): void {
  command
    .description(
      'Prints what makes a shell complete commands and options. bash: eval "$(oslo-msg completion bash)"; zsh: the same, after compinit; fish: oslo-msg completion fish | source.',
    )
    .addArgument(command.createArgument('<shell>', 'of yours').choices(SHELLS))
    .action((shell: Shell) => act(async (io) => await complete(shell, io)))
}

/** A word to complete and what it does. */
interface Word {
  readonly word: string
  readonly does: string
}

async function complete(shell: Shell, io: Io): Promise<number> {
  const options = new Map<string, readonly Word[]>()
  for (const [name, { load }] of Object.entries(COMMANDS)) options.set(name, wordsOf(await load()))
  const commands = Object.entries(COMMANDS).map(([word, { summary }]) => ({ word, does: summary }))
  io.out(SCRIPTS[shell](commands, options))
  return EXIT.done
}

/** Options of a command, and the names of its parts. */
function wordsOf(module: CommandModule): readonly Word[] {
  const command = new Command()
  module.define(command, () => {})
  const options = [command, ...command.commands].flatMap((each) => each.options)
  const long = options.flatMap(({ long: word, description }) =>
    word === undefined || word === null ? [] : [{ word, does: description }],
  )
  const parts = command.commands.map((each) => ({ word: each.name(), does: each.summary() }))
  const seen = new Set<string>()
  return [...parts, ...long, { word: '--help', does: 'show the help' }].filter(({ word }) => {
    if (seen.has(word)) return false
    seen.add(word)
    return true
  })
}

type Options = ReadonlyMap<string, readonly Word[]>

const SCRIPTS: Readonly<Record<Shell, (commands: readonly Word[], options: Options) => string>> = {
  bash: (commands, options) => `_oslo_msg() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ word }) => word).join(' ')} help --help --version"
  else case "\${COMP_WORDS[1]}" in
${[...options].map(([name, words]) => `    ${name}) words="${words.map(({ word }) => word).join(' ')}" ;;`).join('\n')}
    *) words="" ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _oslo_msg oslo-msg
`,
  zsh: (commands, options) => `_oslo_msg() {
  local -a found
  if (( CURRENT == 2 )); then
    found=(${commands.map(described).join(' ')})
  else case "\${words[2]}" in
${[...options].map(([name, words]) => `    ${name}) found=(${words.map(described).join(' ')}) ;;`).join('\n')}
  esac; fi
  _describe oslo-msg found || _files
}
compdef _oslo_msg oslo-msg
`,
  fish: (commands, options) =>
    [
      ...commands.map(
        ({ word, does }) => `complete -c oslo-msg -n __fish_use_subcommand -f -a ${word} -d ${quoted(does)}`,
      ),
      ...[...options].flatMap(([name, words]) =>
        words.map(({ word, does }) =>
          word.startsWith('--')
            ? `complete -c oslo-msg -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)} -d ${quoted(does)}`
            : `complete -c oslo-msg -n '__fish_seen_subcommand_from ${name}' -f -a ${word} -d ${quoted(does)}`,
        ),
      ),
      '',
    ].join('\n'),
}

/** As zsh's _describe takes it. */
function described({ word, does }: Word): string {
  return quoted(`${word}:${does}`)
}

/** In single quotes, as all three shells read it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('\n', ' ')}'`
}
