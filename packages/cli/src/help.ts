import { readFileSync } from 'node:fs'
import { DEFAULT_TIMEOUT_S } from './arguments.ts'

/** What `oslo-msg --help` prints. */
export const HELP: string = `oslo-msg: what an operator does to the broker of an oslo.messaging deployment

Usage:
  oslo-msg redrive NAME [--limit N] [--to NAME] [--dry-run]
      Returns dead letters to where they failed. NAME is the queue, topic or address of the listener,
      or the dead-letter queue itself, by the broker's own name.
      --limit N        at most N letters (default: all that are there when it begins)
      --to NAME        everything goes there; needed for letters that do not say where they came from
      --dry-run        only say what would be moved

  oslo-msg queues [--orphans [--fail]] [--management URL]
      Lists the queues of the virtual host: messages, bytes, consumers (RabbitMQ, with its management plugin).
      --orphans        only those nobody reads, with the reason
      --fail           exit with 1 when there is one
      --management URL where the management interface is (default: port 15672 of the broker, 15671 with TLS)

Where the broker is:
  --config-file FILE   a service.conf; may be given several times
  --url URL            instead of the configured transport_url. Other users see arguments: rather use a file,
                       or the variable OS_DEFAULT__TRANSPORT_URL
  --notifications      take [oslo_messaging_notifications] transport_url

Other:
  --timeout SECONDS    for the whole command (default: redrive ${DEFAULT_TIMEOUT_S.redrive}, queues ${DEFAULT_TIMEOUT_S.queues})
  --json               print JSON
  --help, --version

Exit codes: 0 done, also when orphans were found; 1 failed, with one line on stderr; 2 wrong usage.
The driver is found by the scheme of the URL: install @oslo-messaging/rabbit, /amqp or /kafka beside this program.
`

/** The version of this package. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}
