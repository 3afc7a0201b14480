import { Command, Option } from 'commander'
import { getNotifier } from '@oslo-messaging/core'
import { withNotifications } from './broker/connect.ts'
import { addConfigOptions } from './broker/options.ts'
import { EXIT } from './exit-code.ts'
import { createIo, type Io, type RunOptions } from './io.ts'
import { version } from './program.ts'
import { guard, prepare } from './run.ts'

const NAME = 'oslo-messaging-send-notification'
/** Those that Python's program takes. */
const PRIORITIES = ['info', 'audit', 'warn', 'error', 'critical', 'sample'] as const

interface Options {
  readonly configFile: readonly string[]
  readonly configDir: readonly string[]
  readonly transportUrl?: string
  readonly publisherId?: string
  readonly eventType: string
  readonly topic: readonly string[]
  readonly priority: (typeof PRIORITIES)[number]
  readonly driver: string
}

/** Python's program of that name: sends one notification, whose payload is the text of the one word given. Resolves
 *  with the exit code, never rejects. */
export async function sendNotification(argv: readonly string[], options: RunOptions): Promise<number> {
  const io = createIo(options)
  return await guard(NAME, `${NAME} --help`, io, async () => await execute(argv, io))
}

async function execute(argv: readonly string[], io: Io): Promise<number> {
  const none: readonly string[] = []
  const command = addConfigOptions(prepare(new Command(NAME), io))
    .description('Sends one notification, as the program of that name in oslo.messaging does.')
    .argument('<payload>', 'sent as text')
    .version(version(), '--version', 'show the version')
    .option('--transport-url <url>', 'instead of the configured one')
    .option('--publisher-id <text>', 'who speaks')
    .option('--event-type <text>', 'of the notification', 'test')
    .addOption(new Option('--topic <names...>', 'instead of the configured ones').default(none))
    .addOption(new Option('--priority <name>', 'of the notification').choices(PRIORITIES).default('info'))
    .option('--driver <name>', 'notification driver', 'messagingv2')
  await command.parseAsync([...argv], { from: 'user' })
  const given = command.opts<Options>()
  const [payload = ''] = command.processedArgs as string[]
  const { configFile, configDir, transportUrl } = given
  const broker = { configFile, configDir, timeout: 60, json: false, debug: false }
  return await withNotifications(
    { ...broker, ...(transportUrl === undefined ? {} : { url: transportUrl }) },
    io,
    async (transport) => {
      const notifier = getNotifier(transport, {
        publisherId: given.publisherId ?? null,
        driver: given.driver,
        ...(given.topic.length === 0 ? {} : { topics: given.topic }),
      })
      await notifier[given.priority]({}, given.eventType, payload, { signal: io.signal })
      return EXIT.done
    },
  )
}
