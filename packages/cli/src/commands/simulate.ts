import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { readConfiguration } from '../broker/connect.ts'
import { addBrokerOptions, type BrokerOptions, seconds, wholeNumber } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { notificationsUrlOf } from '../config/groups.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { readFaults } from '../simulate/fault-plan.ts'
import { simulationPage } from '../simulate/page.ts'
import type { Recorder } from '../simulate/recorder.ts'
import { simulate, type SimulationPlan } from '../simulate/run.ts'
import { milliseconds, resultText } from '../simulate/text.ts'
import { jsonLine } from '../text/json.ts'
import { UsageError } from '../usage-error.ts'

interface SimulateOptions extends BrokerOptions {
  readonly profile: SimulationPlan['profile']
  readonly rate: number
  readonly concurrency: number
  readonly size: number
  readonly for: number
  readonly servers: number
  readonly drain: number
  readonly faults: string
  readonly html?: string
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'Sends numbered messages over topics of its own and says what was lost, doubled or late, how long it took, and how faults were borne. Exit code 3: a promise was broken.',
      )
      .addOption(
        new Option('--profile <name>', 'calls, notifications, or both in turn')
          .choices(['rpc', 'notify', 'hybrid'])
          .default('rpc'),
      )
      .addOption(new Option('--rate <n>', 'messages a second').argParser(wholeNumber('--rate')).default(100))
      .addOption(
        new Option('--concurrency <n>', 'most under way at once').argParser(wholeNumber('--concurrency')).default(64),
      )
      .addOption(new Option('--size <bytes>', 'of each payload').argParser(wholeNumber('--size', 0)).default(512))
      .addOption(new Option('--for <seconds>', 'how long').argParser(seconds('--for')).default(10))
      .addOption(new Option('--servers <n>', 'servers, and listeners').argParser(wholeNumber('--servers')).default(2))
      .addOption(
        new Option('--drain <seconds>', 'how long the last ones may take to arrive')
          .argParser(seconds('--drain'))
          .default(15),
      )
      .option('--faults <plan>', 'such as "reset@5s, freeze@10s+3s"; kinds: reset, freeze, blackhole, refuse, slow', '')
      .option('--html <file>', 'write a page with plots as well'),
    5,
    'each message',
  ).action((options: SimulateOptions) => act(async (io) => await run(options, io)))
}

async function run(options: SimulateOptions, io: Io): Promise<number> {
  const faults = readFaults(options.faults)
  const late = faults.find(({ toMs }) => toMs >= options.for * 1000)
  if (late !== undefined)
    throw new UsageError(`${late.kind} at ${late.fromMs / 1000} s is not over when the run is (--for ${options.for})`)
  const conf = await readConfiguration(options, io)
  const notifyUrl = options.notifyUrl ?? options.url ?? notificationsUrlOf(conf)
  if (faults.length > 0 && options.profile === 'notify' && notifyUrl.startsWith('kafka'))
    throw new UsageError(
      '--faults go through a proxy, and Kafka sends its clients past it; with --profile hybrid they strike the RPC bus',
    )
  const plan: SimulationPlan = {
    conf,
    rpcUrl: options.url ?? conf.get('DEFAULT', 'transport_url'),
    notifyUrl,
    profile: options.profile,
    rate: options.rate,
    concurrency: options.concurrency,
    bytes: options.size,
    durationMs: options.for * 1000,
    servers: options.servers,
    timeoutMs: options.timeout * 1000,
    drainMs: options.drain * 1000,
    faults,
    debug: options.debug,
  }
  const result = await simulate(plan, io, (recorder) => {
    if (io.isTerminal && !options.json) io.out(progressLine(recorder))
  })
  if (io.isTerminal && !options.json) io.out('\r\u001b[K')
  if (options.html !== undefined) await writeFile(options.html, simulationPage(result, commandOf(options)))
  const { verdict, ...rest } = result
  io.out(options.json ? jsonLine({ ...rest, passed: verdict.passed, counts: verdict.counts }) : resultText(result))
  return verdict.passed ? EXIT.done : EXIT.found
}

function progressLine(recorder: Recorder): string {
  const last = recorder.seconds.at(-2)
  const speed =
    last === undefined ? '' : `, ${last.resolved} a second, median ${last.p50 === null ? '-' : milliseconds(last.p50)}`
  return `\r\u001b[K${Math.round(recorder.now / 1000)} s: ${recorder.sent} sent${speed}`
}

function commandOf({ profile, rate, concurrency, size, servers, faults, for: length }: SimulateOptions): string {
  const plan = faults === '' ? '' : ` --faults "${faults}"`
  return `oslo-msg simulate --profile ${profile} --rate ${rate} --concurrency ${concurrency} --size ${size} --servers ${servers} --for ${length}${plan}`
}
