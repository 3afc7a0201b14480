import { readFileSync } from 'node:fs'

/** Below the list of commands. */
export const FOOTER = `oslo-msg COMMAND --help has the options, docs/cli.md the examples.
The driver is found by the scheme of the URL:
install @oslo-messaging/rabbit, /amqp or /kafka beside this program.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a bad answer, 4 warnings,
130 ended by a second Ctrl-C.
`

/** The version of this package. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}
