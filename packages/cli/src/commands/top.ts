import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import {
  type BrokerAdmin,
  getBrokerAdmin,
  getRpcTransport,
  isMessagingError,
  type Transport,
} from '@oslo-messaging/core'
import { openingOptions, PASSING, readConfiguration } from '../broker/connect.ts'
import { addBrokerOptions, type BrokerOptions, repeatable, seconds, wholeNumber } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { type Figures, Look, type Sources, type Watched } from '../top/figures.ts'
import { screenText } from '../top/screen.ts'
import { UsageError } from '../usage-error.ts'

interface TopOptions extends BrokerOptions {
  readonly server: readonly string[]
  readonly exchange?: string
  readonly probe: readonly string[]
  readonly management?: string
  readonly notifications: boolean
  readonly interval: number
  readonly wait: number
  readonly once: boolean
  readonly count?: number
}

const CLOSE_MS = 2000
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'A live screen of a topic: servers and their round trips, messages a second, latencies, backlog, health. Servers are pinged, the broker is asked for its queues, and processes for their probes (--probe). Ends with q or Ctrl-C. Exit code 3 with --once: it is down.',
      )
      .argument('<topic>', 'topic of the servers, or of notifications')
      .addOption(repeatable('--server <name>', 'ask this one by name; may be repeated (default: whoever answers)'))
      .option('--exchange <name>', 'instead of [DEFAULT] control_exchange')
      .addOption(
        repeatable(
          '--probe <url>',
          'base URL of the probes of a process, or of a page of metrics such as that of oslo.metrics; may be repeated',
        ),
      )
      .option('--notifications', 'a topic of notifications: nobody is pinged', false)
      .option('--management <url>', 'where the management interface is (RabbitMQ)')
      .addOption(new Option('--interval <seconds>', 'between two looks').argParser(seconds('--interval')).default(2))
      .addOption(new Option('--wait <seconds>', 'for answers to a ping').argParser(seconds('--wait')).default(0.5))
      .option('--once', 'print one screen and end, for scripts', false)
      .option('--count <n>', 'end after so many looks', wholeNumber('--count')),
    5,
    'each question',
  ).action((topic: string, options: TopOptions) => act(async (io) => await top(topic, options, io)))
}

async function top(topic: string, options: TopOptions, io: Io): Promise<number> {
  for (const url of options.probe)
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new UsageError(`--probe is a URL such as http://host:8080, not ${JSON.stringify(url)}`)
  if (!io.isTerminal && !options.once && !options.json && options.count === undefined)
    throw new UsageError('A live screen needs a terminal; --once prints one, --json goes on')
  const ended = new AbortController()
  const signal = AbortSignal.any([io.signal, ended.signal])
  const watched: Watched = {
    topic,
    exchange: options.exchange ?? null,
    servers: options.server,
    probes: options.probe,
    waitMs: options.wait * 1000,
    timeoutMs: options.timeout * 1000,
    management: options.management ?? null,
    signal,
  }
  const sources = await openSources(options, io)
  const isLive = io.isTerminal && !options.once && !options.json
  const screen = isLive ? await openScreen(io, () => ended.abort()) : undefined
  try {
    const figures = await watch(new Look(watched, sources), options, signal, (each) => {
      if (screen !== undefined) screen.show(screenText(each, io))
      else
        io.out(
          options.json
            ? jsonLine(each)
            : `${screenText(each, { columns: io.columns, colour: io.colour, rows: Infinity })}\n`,
        )
    })
    return options.once && figures?.health === 'down' ? EXIT.found : EXIT.done
  } finally {
    screen?.close()
    await sources.transport?.close({ timeoutMs: CLOSE_MS })
    await sources.admin?.close()
  }
}

/** Looks until it is told to end; resolves with the last figures. */
async function watch(
  look: Look,
  { once, count, interval }: TopOptions,
  signal: AbortSignal,
  show: (figures: Figures) => void,
): Promise<Figures | undefined> {
  let last: Figures | undefined
  const pause = async (): Promise<void> => {
    await sleep(interval * 1000, undefined, { signal })
  }
  try {
    if (once && look.needsTwo) {
      await look.look()
      await pause()
    }
    for (let shown = 1; ; shown += 1) {
      last = await look.look()
      show(last)
      if (once || shown === count) return last
      await pause()
    }
  } catch (error) {
    if (!signal.aborted) throw error
    return last
  }
}

/** What can be asked: a bus of notifications has no servers, and some drivers have no administration. */
async function openSources(options: TopOptions, io: Io): Promise<Sources> {
  const conf = await readConfiguration(options, io, PASSING)
  const { url, notifyUrl, notifications } = options
  const opening = openingOptions(options, io, 'oslo-msg top')
  const transport: Transport | null = notifications ? null : await getRpcTransport(conf, { url, ...opening })
  try {
    return { transport, admin: await openAdmin() }
  } catch (error) {
    await transport?.close({ timeoutMs: CLOSE_MS })
    throw error
  }

  async function openAdmin(): Promise<BrokerAdmin | null> {
    try {
      return await getBrokerAdmin(conf, {
        url: notifications ? (notifyUrl ?? url) : url,
        section: notifications ? 'notifications' : 'default',
        ...opening,
      })
    } catch (error) {
      if (isMessagingError(error, 'UNSUPPORTED')) return null
      throw error
    }
  }
}

interface Screen {
  show(text: string): void
  close(): void
}

/** A part of the terminal that is written anew, with its cursor hidden and its keys listened to; `close`
 *  restores it. */
async function openScreen(io: Io, onQuit: () => void): Promise<Screen> {
  const { createLogUpdate } = await import('log-update')
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      write(text: string | Buffer, _encoding, done) {
        io.out(String(text))
        done()
      },
    }),
    { isTTY: true, columns: io.columns, rows: io.rows },
  )
  // It would hide the cursor of stderr, whatever it writes to.
  const log = createLogUpdate(stream, { showCursor: true })
  const restore = (): void => io.out(SHOW_CURSOR)
  io.out(HIDE_CURSOR)
  process.once('exit', restore)
  const keys = io.onKey((key) => {
    if (key === 'q' || key === '\u0003') onQuit()
  })
  return {
    show: (text) => {
      stream.columns = io.columns
      stream.rows = io.rows
      log(text)
    },
    close: () => {
      keys()
      log.done()
      process.off('exit', restore)
      restore()
    },
  }
}
