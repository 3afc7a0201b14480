import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MessageServer, Transport } from '@oslo-messaging/core'
import { withNotifications, withRpc } from '../broker/connect.ts'
import { interrupted } from '../broker/interrupted.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { drawTexts } from '../simulator/message.ts'
import {
  batchNotifyServer,
  notifyClient,
  notifyServer,
  rpcClient,
  rpcServer,
  sendAll,
  type Serving,
  type SimulatorClient,
} from '../simulator/sides.ts'
import { MessageCounter, pointText, summarize, summaryText } from '../simulator/statistics.ts'
import { suggest } from '../suggest.ts'
import { jsonText } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

/** Options of Python's simulator by their long names. */
interface CommonOptions {
  readonly url?: string
  readonly debug: boolean
  readonly topic: string
  readonly server: string
  readonly targets: readonly string[]
  readonly duration?: number
  readonly json?: string
  readonly configFile: readonly string[]
}

interface ServerOptions extends CommonOptions {
  readonly wait: number
  readonly requeue?: boolean
}

interface ClientOptions extends CommonOptions {
  readonly threads: number
  readonly messages: number
  readonly wait: number
  readonly timeout: number
  readonly exitWait?: number
  readonly isCast?: boolean
  readonly isFanout?: boolean
  readonly sync?: 'call' | 'fanout'
}

const MODES = ['rpc-server', 'rpc-client', 'notify-server', 'batch-notify-server', 'notify-client'] as const
type Mode = (typeof MODES)[number]
const LONG: Readonly<Record<string, string>> = { '-tp': '--topic', '-tg': '--targets' }
const TEXTS = 1000
const TICK_MS = 1000
const TIMEOUT_S = 60

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const number =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least)
      throw new InvalidArgumentError(`It is a number of at least ${least}.`)
    return value
  }

/** argparse's spellings as commander reads them: long names of two letters, and lists that end where a mode begins. */
export function rewrite(argv: readonly string[]): readonly string[] {
  const words: string[] = []
  let isInTargets = false
  for (const word of argv) {
    const named = LONG[word] ?? word
    if (named === '--targets') isInTargets = true
    else if (word.startsWith('-') || MODES.some((mode) => mode === word)) {
      isInTargets = false
      words.push(named)
    } else if (isInTargets) words.push('--targets', word)
    else words.push(word)
  }
  return words
}

export function define(command: Command, act: (action: Action) => void): void {
  const none: readonly string[] = []
  command
    .description(
      "Python's tools/simulator.py with its options, figures and messages, so that either side of a test may be the one or the other.",
    )
    .usage('[options] MODE [options of the mode]')
    .option('--url <url>', 'instead of the configured transport_url')
    .option('-d, --debug', 'print what the library logs', false)
    .option('--topic <name>', 'of servers, listeners and notifiers (also -tp)', 'profiler_topic')
    .option('-s, --server <name>', 'of an rpc-server', 'profiler_server')
    .addOption(
      new Option('--targets <topic.server>', 'of rpc-clients in turn, several after one another (also -tg)')
        .argParser(collect)
        .default(none),
    )
    .option('-l, --duration <seconds>', 'send, or serve, so long', number(0))
    .option('-j, --json <file>', 'write the figures there')
    .addOption(new Option('--config-file <file>', 'a service.conf').argParser(collect).default(none))
    .argument('[mode]', MODES.join(', '))
    .action((mode: string | undefined) => {
      if (mode === undefined) throw new UsageError(`Which mode? There are ${MODES.join(', ')}`)
      const meant = suggest(mode, MODES)
      throw new UsageError(`There is no mode ${mode}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
    })
  const server = (mode: Mode, summary: string): Command =>
    command
      .command(mode)
      .description(summary)
      .option('-w, --wait <seconds>', 'before answering; -1: none', number(-1), -1)
  const client = (mode: Mode, summary: string): Command =>
    command
      .command(mode)
      .description(summary)
      .option('-p, --threads <n>', 'clients at once', number(1), 1)
      .option('-m, --messages <n>', 'of each client, unless -l is given', number(1), 1)
      .option('-w, --wait <seconds>', 'after each message; -1: none', number(-1), -1)
      .option('--timeout <seconds>', 'of each message', number(0), 3)
  server('rpc-server', 'answers calls')
    .option('-e, --executor <name>', 'taken for the sake of scripts; there is one')
    .action((_: object, self: Command) => act(async (io) => await serve('rpc-server', self.optsWithGlobals(), io)))
  for (const mode of ['notify-server', 'batch-notify-server'] as const)
    server(mode, mode === 'notify-server' ? 'takes notifications' : 'takes them in batches of 1000, or of five seconds')
      .option('--requeue', 'hand each back once (batches do not)', false)
      .action((_: object, self: Command) => act(async (io) => await serve(mode, self.optsWithGlobals(), io)))
  client('rpc-client', 'calls servers')
    .option('--exit-wait <seconds>', 'stay connected so long afterwards', number(0), 0)
    .option('--is-cast', 'cast instead of calling', false)
    .option('--is-fanout', 'to every server of the topic', false)
    .addOption(
      new Option('--sync <how>', 'stop the server when all clients are done').choices(['call', 'fanout'] as const),
    )
    .action((_: object, self: Command) => act(async (io) => await sendFrom('rpc-client', self.optsWithGlobals(), io)))
  client('notify-client', 'sends notifications').action((_: object, self: Command) =>
    act(async (io) => await sendFrom('notify-client', self.optsWithGlobals(), io)),
  )
}

const brokerOf = ({ url, configFile, debug }: CommonOptions) => ({
  configFile,
  configDir: [],
  timeout: TIMEOUT_S,
  json: false,
  debug,
  ...(url === undefined ? {} : { url }),
})

async function serve(mode: Mode, options: ServerOptions, io: Io): Promise<number> {
  const open = mode === 'rpc-server' ? withRpc : withNotifications
  const counter = new MessageCounter()
  const done = new AbortController()
  const serving: Serving = {
    topic: options.topic,
    server: options.server,
    waitMs: options.wait * 1000,
    requeues: options.requeue === true,
    counter,
    onDone: () => done.abort(),
  }
  const make = { 'rpc-server': rpcServer, 'notify-server': notifyServer, 'batch-notify-server': batchNotifyServer }
  return await open(brokerOf(options), io, async (transport) => {
    const server: MessageServer = make[mode as keyof typeof make](transport, serving)
    await server.start({ timeoutMs: TIMEOUT_S * 1000, signal: io.signal })
    io.err(`oslo-msg: ${mode} of ${options.topic}; Ctrl-C ends\n`)
    const end = endOf(options.duration, io.signal, done.signal)
    const ticks = setInterval(() => io.out(`${pointText('server', counter.tick())}\n`), TICK_MS)
    try {
      await interrupted(end)
    } finally {
      clearInterval(ticks)
    }
    await server.stop()
    await server.wait({ timeoutMs: 10_000 })
    counter.tick()
    const summary = { server: summarize(counter) }
    await report({ series: { server: counter.series }, summary }, options, io)
    return EXIT.done
  })
}

async function sendFrom(mode: Mode, options: ClientOptions, io: Io): Promise<number> {
  const isRpc = mode === 'rpc-client'
  return await (isRpc ? withRpc : withNotifications)(brokerOf(options), io, async (transport) => {
    const clients = Array.from({ length: options.threads }, (_, id) => clientOf(transport, isRpc, id, options))
    const pace = {
      messages: options.duration === undefined ? options.messages : null,
      waitMs: options.wait * 1000,
      texts: drawTexts(TEXTS),
      signal: endOf(options.duration, io.signal),
    }
    const tick = (): void => {
      for (const { counters } of clients) {
        io.out(`${pointText('client', counters.sent.tick())}\n`)
        counters.roundTrip.tick()
        counters.errors.tick()
      }
    }
    const ticks = setInterval(tick, TICK_MS)
    try {
      await Promise.all(clients.map((client) => sendAll(client, pace)))
    } finally {
      clearInterval(ticks)
    }
    for (const { counters } of clients) for (const each of Object.values(counters) as MessageCounter[]) each.tick()
    const of = (which: 'sent' | 'roundTrip' | 'errors'): readonly MessageCounter[] =>
      clients.map(({ counters }) => counters[which])
    const hasReply = isRpc && options.isCast !== true && options.isFanout !== true
    const errors = summarize(...of('errors'))
    await report(
      {
        series: Object.fromEntries(
          clients.flatMap(({ id, counters }) => [
            [`client_${id}`, counters.sent.series],
            ...(hasReply ? [[`round_trip_${id}`, counters.roundTrip.series]] : []),
            [`error_${id}`, counters.errors.series],
          ]),
        ),
        summary: {
          client: summarize(...of('sent')),
          ...(hasReply ? { round_trip: summarize(...of('roundTrip')) } : {}),
          error: errors,
        },
      },
      options,
      io,
    )
    if (options.exitWait !== undefined && options.exitWait > 0)
      await sleep(options.exitWait * 1000, undefined, { signal: io.signal }).catch(() => {})
    return errors.count > 0 ? EXIT.found : EXIT.done
  })
}

function clientOf(transport: Transport, isRpc: boolean, id: number, options: ClientOptions): SimulatorClient {
  const timeoutMs = options.timeout * 1000
  if (!isRpc) return notifyClient(transport, id, options.topic, timeoutMs)
  const targets = options.targets.length === 0 ? ['profiler_topic.profiler_server'] : options.targets
  const target = targets[id % targets.length] ?? ''
  const at = target.indexOf('.')
  return rpcClient(transport, id, {
    topic: at < 0 ? target : target.slice(0, at),
    server: at < 0 ? '' : target.slice(at + 1),
    fanout: options.isFanout === true,
    casts: options.isCast === true,
    sync: options.sync ?? null,
    timeoutMs,
  })
}

function endOf(duration: number | undefined, ...signals: readonly AbortSignal[]): AbortSignal {
  return AbortSignal.any([...signals, ...(duration === undefined ? [] : [AbortSignal.timeout(duration * 1000)])])
}

/** The figures of all seconds and of all of them together. */
interface Figures {
  readonly series: Readonly<Record<string, readonly unknown[]>>
  readonly summary: Readonly<Record<string, Parameters<typeof summaryText>[1]>>
}

async function report(figures: Figures, { json }: CommonOptions, io: Io): Promise<void> {
  for (const [label, summary] of Object.entries(figures.summary)) io.out(`${summaryText(label, summary)}\n`)
  if (json !== undefined) await writeFile(json, `${jsonText(figures, 2)}\n`)
}
