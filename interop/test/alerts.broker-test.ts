import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promtool, skipOrFail } from '@oslo-messaging/brokers'
import { expect, it } from 'vitest'

const RULES = fileURLToPath(new URL('../../packages/prometheus/dashboards/alerts.yaml', import.meta.url))
const checked = await skipOrFail(promtool('check', 'rules', RULES))

const at = 'instance="node1"'
/** Series that make each alert fire, and what they say when all is well. A minute between two values. */
const CASES: Readonly<Record<string, { readonly bad: readonly string[]; readonly good: readonly string[] }>> = {
  OsloMessagingNotReady: {
    bad: [`oslo_messaging_ready{${at}}: 0x60`],
    good: [`oslo_messaging_ready{${at}}: 1x60`],
  },
  OsloMessagingBlocked: {
    bad: [`oslo_messaging_component_up{${at},bus="rpc",kind="connection",name="c",state="blocked"}: 0x60`],
    good: [`oslo_messaging_component_up{${at},bus="rpc",kind="connection",name="c",state="connected"}: 1x60`],
  },
  OsloMessagingBusy: {
    bad: [
      `oslo_messaging_handlers_running{${at},bus="rpc",server="s"}: 8x60`,
      `oslo_messaging_workers{${at},bus="rpc",server="s"}: 8x60`,
      `oslo_messaging_handlers_waiting{${at},bus="rpc",server="s"}: 3x60`,
    ],
    good: [
      `oslo_messaging_handlers_running{${at},bus="rpc",server="s"}: 8x60`,
      `oslo_messaging_workers{${at},bus="rpc",server="s"}: 8x60`,
      `oslo_messaging_handlers_waiting{${at},bus="rpc",server="s"}: 0x60`,
    ],
  },
  OsloMessagingBacklogGrows: {
    bad: [`oslo_messaging_backlog{${at},bus="notifications",source="events.info[0]"}: 2000+100x60`],
    good: [`oslo_messaging_backlog{${at},bus="notifications",source="events.info[0]"}: 9000-100x60`],
  },
  OsloMessagingCallsFail: {
    bad: [
      `oslo_messaging_sends_total{${at},destination="t",error=""}: 0+90x60`,
      `oslo_messaging_sends_total{${at},destination="t",error="MessagingTimeout"}: 0+10x60`,
    ],
    good: [
      `oslo_messaging_sends_total{${at},destination="t",error=""}: 0+99x60`,
      `oslo_messaging_sends_total{${at},destination="t",error="MessagingTimeout"}: 0+1x60`,
    ],
  },
  OsloMessagingDropped: {
    bad: [`oslo_messaging_dropped_total{${at},reason="unreadable"}: 0+1x60`],
    good: [`oslo_messaging_dropped_total{${at},reason="expired"}: 0+1x60`],
  },
  OsloMessagingRepliesAbandoned: {
    bad: [`oslo_messaging_replies_abandoned_total{${at}}: 0+1x60`],
    good: [`oslo_messaging_replies_abandoned_total{${at}}: 5x60`],
  },
}

it.runIf(checked)('promtool reads the rules', () => {
  expect(checked).toEqual({ code: 0, text: expect.stringContaining('SUCCESS: 7 rules found') as string })
})

it.runIf(checked)('each alert fires when it should, alone, and is silent when all is well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'alerts-'))
  try {
    const groups = Object.entries(CASES).flatMap(([alert, { bad, good }]) =>
      [bad, good].map((series) => ({
        interval: '1m',
        input_series: series.map((line) => {
          const end = line.lastIndexOf('}: ') + 1
          return { series: line.slice(0, end), values: line.slice(end + 2) }
        }),
        promql_expr_test: [
          {
            expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
            eval_time: '45m',
            exp_samples: series === bad ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
          },
        ],
      })),
    )
    const tests = { rule_files: [RULES], evaluation_interval: '1m', tests: groups }
    // JSON is YAML, too.
    const file = join(folder, 'alerts.test.yaml')
    await writeFile(file, JSON.stringify(tests))
    expect(await promtool('test', 'rules', file)).toEqual({
      code: 0,
      text: expect.stringContaining('SUCCESS') as string,
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
