/// <reference lib="esnext.disposable" />
import { mkdir } from 'node:fs/promises'

import { type DebianProgram, unpackedProgram } from './debian.ts'
import { freePorts } from './ports.ts'
import { ProcessNode } from './process-node.ts'
import { run } from './run.ts'
import { Workspace } from './workspace.ts'

const PROMETHEUS: DebianProgram = {
  name: 'prometheus',
  package: 'prometheus',
  program: 'usr/bin/prometheus',
  versions: [{ version: '2.42.0', suite: 'bookworm' }],
  also: ['usr/bin/promtool'],
}

/** A line over time, as a query gives it: seconds since 1970 and values. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [seconds: number, value: number])[]
}

export interface PrometheusOptions {
  /** What is scraped each second: `127.0.0.1:9100`. */
  readonly targets: readonly string[]
  /** The text of a file of rules, which are evaluated each second. */
  readonly rules: string
}

/** A Prometheus server from Debian's package on 127.0.0.1, with its data in a temporary folder. */
export interface Prometheus extends AsyncDisposable {
  /** What an expression was worth between two times, one value a second. Rejects with what the server complains of. */
  series(expression: string, fromMs: number, toMs: number): Promise<readonly Series[]>
  /** Names of the alerts that fire. */
  firing(): Promise<readonly string[]>
}

/** Runs Debian's promtool; resolves with its exit code and all that it printed. Rejects with BrokerUnavailable. */
export async function promtool(...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const { also } = await unpackedProgram(PROMETHEUS)
  const { code, stdout, stderr } = await run(also[0] ?? '', args)
  return { code: code ?? 1, text: `${stdout}${stderr}` }
}

/** Resolves when it answers. Rejects with BrokerUnavailable or BrokerStartFailed. */
export async function startPrometheus({ targets, rules }: PrometheusOptions): Promise<Prometheus> {
  const { command } = await unpackedProgram(PROMETHEUS)
  const workspace = await Workspace.create('prometheus')
  const [port = 0] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  const data = workspace.path('data')
  await mkdir(data)
  await workspace.write('rules.yaml', rules)
  // JSON is YAML, too.
  const config = await workspace.write(
    'prometheus.yaml',
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [{ job_name: 'services', static_configs: [{ targets }] }],
    }),
  )
  const node = new ProcessNode({
    broker: 'prometheus',
    name: 'n1',
    host: '127.0.0.1',
    port,
    command,
    args: [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`],
    env: process.env,
    workspace,
    logFile: workspace.path('prometheus.log'),
    answers: async () => (await fetch(`${origin}/-/ready`).catch(() => undefined))?.ok === true,
  })
  const ask = async (path: string, fields: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const response = await fetch(`${origin}/api/v1/${path}?${new URLSearchParams(fields).toString()}`)
    const answer = (await response.json()) as { readonly data?: unknown; readonly error?: string }
    if (answer.error !== undefined) throw new Error(`${path} ${JSON.stringify(fields)}: ${answer.error}`)
    return answer.data
  }
  const close = async (): Promise<void> => {
    await node.stop()
    await workspace.close()
  }
  try {
    await node.start()
  } catch (error) {
    await close()
    throw error
  }
  return {
    series: async (query, fromMs, toMs) => {
      const fields = { query, start: String(fromMs / 1000), end: String(toMs / 1000), step: '1' }
      const { result } = (await ask('query_range', fields)) as {
        readonly result: readonly { metric: Record<string, string>; values: [number, string][] }[]
      }
      return result.map(({ metric, values }) => ({
        metric,
        values: values.map(([seconds, value]) => [seconds, Number(value)] as const),
      }))
    },
    firing: async () => {
      const { alerts } = (await ask('alerts')) as {
        readonly alerts: readonly { labels: { alertname: string }; state: string }[]
      }
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
    },
    [Symbol.asyncDispose]: close,
  }
}
