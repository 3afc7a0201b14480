import { writeFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { MessagingConfig } from '@oslo-messaging/core'
import { type EffectiveOption, TransportURL } from '@oslo-messaging/core/driver'
import { PASSING, readConfiguration } from '../broker/connect.ts'
import { addBrokerOptions, type BrokerOptions, repeatable } from '../broker/options.ts'
import type { Action } from '../command.ts'
import { checkConfiguration } from '../config/check.ts'
import { registryOf, urlsOf } from '../config/groups.ts'
import { examineBus } from '../doctor/bus.ts'
import { type Finding, Findings } from '../doctor/finding.ts'
import { reportPage, reportText, sorted } from '../doctor/report.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { errorText } from '../text/error-text.ts'
import { jsonLine } from '../text/json.ts'
import { checkWritable } from '../text/writable.ts'

interface DoctorOptions extends BrokerOptions {
  readonly topic: readonly string[]
  readonly management?: string
  readonly ping: boolean
  readonly html?: string
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'Looks for what is wrong: configuration, names, ports, TLS, login, broker version, queues, consumers, clocks. Changes nothing, unless --ping is given. Each finding says why it matters and what to do. Exit code 3: errors; 4: warnings alone.',
      )
      .addOption(repeatable('--topic <name>', 'a topic of this service whose queue is looked at; may be repeated'))
      .option('--management <url>', "where RabbitMQ's management interface is (default: port 15672 of the first host)")
      .option('--ping', 'also send a message there and back, over queues of its own that it takes away again', false)
      .option('--html <file>', 'write a page as well'),
    10,
    'each connection',
  ).action((options: DoctorOptions) => act(async (io) => await examine(options, io)))
}

async function examine(options: DoctorOptions, io: Io): Promise<number> {
  await checkWritable('--html', options.html)
  const findings = new Findings()
  const conf = await examineConfiguration(options, io, findings)
  if (conf !== undefined) await examineBuses(conf, options, io, findings)
  await examineEventLoop(findings)
  if (options.html !== undefined) await writeFile(options.html, reportPage(findings, 'oslo-msg doctor'))
  io.out(options.json ? sorted(findings.all).map(jsonLine).join('') : reportText(findings, io))
  return findings.count('error') > 0 ? EXIT.found : findings.count('warning') > 0 ? EXIT.warned : EXIT.done
}

async function examineConfiguration(
  options: DoctorOptions,
  io: Io,
  findings: Findings,
): Promise<MessagingConfig | undefined> {
  const fix = 'Correct it; oslo-msg config explain OPTION says what an option takes.'
  const { conf, errors, warnings } = await checkConfiguration(options, io)
  for (const text of warnings)
    findings.add('warning', 'configuration', null, text, 'It is probably not what was meant.', fix)
  for (const text of errors) findings.add('error', 'configuration', null, text, 'The service does not start.', fix)
  if (errors.length === 0) findings.add('ok', 'configuration', null, 'Every option that is set can be used')
  return conf
}

async function examineBuses(conf: MessagingConfig, options: DoctorOptions, io: Io, findings: Findings): Promise<void> {
  const registry = await registryOf(io)
  const configured = urlsOf(conf)
  const rpc = options.url ?? configured[0]?.text ?? ''
  const notify = options.notifyUrl ?? options.url ?? configured[1]?.text ?? rpc
  const buses = [
    { kind: 'rpc' as const, text: rpc, topics: options.topic },
    { kind: 'notifications' as const, text: notify, topics: conf.get('oslo_messaging_notifications', 'topics') },
  ]
  const trying = options.ping ? await readConfiguration(options, io, PASSING) : null
  const broken = new Set<string>()
  for (const { kind, text, topics } of buses) {
    let url: TransportURL
    let driverOptions: readonly EffectiveOption[]
    try {
      url = TransportURL.parse(text)
      const { config } = await registry.resolve(url.scheme)
      driverOptions = config === undefined ? [] : conf.explain(config, url.query)
    } catch (error) {
      const what = errorText(error)
      if (!findings.all.some((each) => each.what === what))
        findings.add(
          'error',
          'driver',
          null,
          what,
          'The service does not start.',
          'Correct transport_url, or install the package that is named.',
        )
      continue
    }
    // Both buses are often one broker.
    if (broken.has(text)) continue
    const before = new Set(findings.all.map(alike))
    const own = new Findings()
    await examineBus(
      {
        kind,
        url: text,
        conf,
        options: new Map(driverOptions.map((each) => [each.name, each])),
        topics,
        management: options.management ?? null,
        timeoutMs: options.timeout * 1000,
        trying,
        debug: options.debug,
      },
      io,
      own,
    )
    if (own.count('error') > 0) broken.add(text)
    findings.all.push(...own.all.filter((each) => !before.has(alike(each))))
  }
}

/** The same of one broker, however long it took this time. */
function alike(finding: Finding): string {
  return JSON.stringify(finding).replaceAll(/\d+ ms/g, '')
}

const SAMPLE_MS = 300
const LAG_MS = 100

async function examineEventLoop(findings: Findings): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  await sleep(SAMPLE_MS)
  delay.disable()
  const lag = Math.max(0, Math.round(delay.max / 1e6) - 10)
  if (lag > LAG_MS)
    findings.add(
      'warning',
      'event-loop',
      null,
      `This machine left the event loop waiting for ${lag} ms`,
      'Heartbeats and timeouts come late when it is so for the service, too.',
      'Look for what uses the processors.',
    )
  else findings.add('ok', 'event-loop', null, `The event loop waits at most ${lag} ms`)
}
