import { writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { readConfiguration } from '../broker/connect.ts'
import { addBrokerOptions, type BrokerOptions, seconds, wholeNumber } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { notificationsUrlOf } from '../config/groups.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { needsProxy, readFaults } from '../simulate/fault-plan.ts'
import { simulationPage } from '../simulate/page.ts'
import { type Progress, simulate, type SimulationPlan } from '../simulate/run.ts'
import { resultText } from '../simulate/text.ts'
import { findPython } from '../simulate/worker-process.ts'
import { jsonLine } from '../text/json.ts'
import { checkWritable } from '../text/writable.ts'
import { UsageError } from '../usage-error.ts'

interface SimulateOptions extends BrokerOptions {
  readonly profile: SimulationPlan['profile']
  readonly rate: number
  readonly concurrency: number
  readonly size: number
  readonly for: number
  readonly servers: number
  readonly processes: number
  readonly python?: 'servers' | 'clients'
  readonly pythonCommand: string
  readonly drain: number
  readonly faults: string
  readonly restartCommand?: string
  readonly killNodeCommand?: string
  readonly startNodeCommand?: string
  readonly html?: string
}

export function define(command: Command, act: (action: Action) => void): void {
  const faults = 'Faults:'
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
        new Option('--processes <n>', 'share clients and servers out among so many processes')
          .argParser(wholeNumber('--processes'))
          .default(1),
      )
      .addOption(
        new Option('--python <side>', "have Python's oslo.messaging be one side").choices(['servers', 'clients']),
      )
      .option('--python-command <command>', 'a Python that has it', 'python3')
      .addOption(
        new Option('--drain <seconds>', 'how long the last ones may take to arrive')
          .argParser(seconds('--drain'))
          .default(15),
      )
      .addOption(
        new Option(
          '--faults <plan>',
          'such as "reset@5s, freeze@10s+3s, restart@20s"; by a proxy: reset, freeze, blackhole, refuse, slow; by commands: restart, kill-node',
        )
          .default('')
          .helpGroup(faults),
      )
      .addOption(new Option('--restart-command <command>', 'restarts the broker').helpGroup(faults))
      .addOption(new Option('--kill-node-command <command>', 'kills a node of it').helpGroup(faults))
      .addOption(
        new Option(
          '--start-node-command <command>',
          'starts that node again, at the end of kill-node@30s+10s',
        ).helpGroup(faults),
      )
      .option('--html <file>', 'write a page with plots as well'),
    5,
    'each message',
  ).action((options: SimulateOptions) => act(async (io) => await run(options, io)))
}

async function run(options: SimulateOptions, io: Io): Promise<number> {
  const plan = await planOf(options, io)
  await checkWritable('--html', options.html)
  const result = await simulate(plan, io, (progress) => {
    if (io.isTerminal && !options.json) io.out(progressLine(progress))
  })
  if (io.isTerminal && !options.json) io.out('\r\u001b[K')
  if (options.html !== undefined) await writeFile(options.html, simulationPage(result, commandOf(options)))
  const { verdict, ...rest } = result
  io.out(
    options.json
      ? jsonLine({ ...rest, passed: verdict.passed, counts: verdict.counts, violations: verdict.violations })
      : resultText(result),
  )
  return verdict.passed ? EXIT.done : EXIT.found
}

async function planOf(options: SimulateOptions, io: Io): Promise<SimulationPlan> {
  const levers = {
    restart: options.restartCommand,
    killNode: options.killNodeCommand,
    startNode: options.startNodeCommand,
  }
  const faults = readFaults(options.faults, levers)
  const late = faults.find(({ toMs }) => toMs >= options.for * 1000)
  if (late !== undefined)
    throw new UsageError(`${late.kind} at ${late.fromMs / 1000} s is not over when the run is (--for ${options.for})`)
  const conf = await readConfiguration(options, io)
  const rpcUrl = options.url ?? conf.get('DEFAULT', 'transport_url')
  const notifyUrl = options.notifyUrl ?? options.url ?? notificationsUrlOf(conf)
  if (needsProxy(faults) && options.profile === 'notify' && notifyUrl.startsWith('kafka'))
    throw new UsageError(
      'These --faults go through a proxy, and Kafka sends its clients past it; with --profile hybrid they strike the RPC bus, and restart and kill-node strike any',
    )
  if (options.processes > 1 && [rpcUrl, notifyUrl].some((url) => url.startsWith('memory')))
    throw new UsageError('memory:// is inside one process: --processes needs a broker')
  const { side, command } = { side: options.python, command: options.pythonCommand }
  return {
    conf,
    rpcUrl,
    notifyUrl,
    profile: options.profile,
    rate: options.rate,
    concurrency: options.concurrency,
    bytes: options.size,
    durationMs: options.for * 1000,
    servers: options.servers,
    processes: options.processes,
    python: side === undefined ? null : { side, command: await findPython(command, io.signal) },
    timeoutMs: options.timeout * 1000,
    drainMs: options.drain * 1000,
    faults,
    levers,
    configFile: options.configFile,
    configDir: options.configDir,
    debug: options.debug,
  }
}

function progressLine({ nowMs, sent, resolved }: Progress): string {
  return `\r\u001b[K${Math.round(nowMs / 1000)} s: ${sent} sent, ${resolved} acknowledged`
}

function commandOf(options: SimulateOptions): string {
  const { profile, rate, concurrency, size, servers, processes, python, faults } = options
  const words = [
    ...(processes === 1 ? [] : [`--processes ${processes}`]),
    ...(python === undefined ? [] : [`--python ${python}`]),
    ...(faults === '' ? [] : [`--faults "${faults}"`]),
  ]
  return `oslo-msg simulate --profile ${profile} --rate ${rate} --concurrency ${concurrency} --size ${size} --servers ${servers} --for ${options.for}${words.map((word) => ` ${word}`).join('')}`
}
