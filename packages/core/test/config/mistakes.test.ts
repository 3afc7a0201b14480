import { describe, expect, it } from 'vitest'
import { type ConfigOverrides, getNotificationTransport, loadConfig, Notifier } from '../../src/index.ts'
import { configurationError, recordWarnings, widgetConfig, write } from './helpers.ts'

describe('groups in overrides', () => {
  it.each([
    ['notifications', 'oslo_messaging_notifications'],
    ['oslo_messaging_notification', 'oslo_messaging_notifications'],
    ['default', 'DEFAULT'],
    ['rabbit', 'oslo_messaging_rabbit'],
  ])('%s is refused, and the group that is meant is named', async (group, meant) => {
    const error = await configurationError(() => loadConfig({ overrides: { [group]: { driver: ['messagingv2'] } } }))
    expect(error.message).toBe(`overrides has no group ${group}; did you mean ${meant}?`)
  })

  it('one of nobody is refused, and what would do is said', async () => {
    const error = await configurationError(() => loadConfig({ overrides: { service: { a: 1 } } as ConfigOverrides }))
    expect(error.message).toContain('overrides has no group service; it takes DEFAULT')
  })

  it("those of drivers, of somebody else's too, and old ones that are still read are taken", async () => {
    const conf = await loadConfig({
      overrides: {
        oslo_messaging_widget: { count: 4 },
        oslo_messaging_rabbit: {},
        OSLO_MESSAGING_KAFKA: {},
        rpc_notifier2: { topics: ['t'] },
        amqp1: {},
      } as ConfigOverrides,
    })
    expect(conf.resolve(widgetConfig).count).toBe(4)
    expect(conf.get('oslo_messaging_notifications', 'topics')).toEqual(['t'])
  })
})

describe('options that are not what they seem', () => {
  it('an empty notification driver names no driver: it is left out, with a warning that names group and file', async () => {
    const { logger, warnings } = recordWarnings()
    const file = await write(['service.conf', '[oslo_messaging_notifications]\ndriver =\n'])
    const conf = await loadConfig({ files: file, logger })
    expect(conf.get('oslo_messaging_notifications', 'driver')).toEqual([])
    const bus = await getNotificationTransport(conf, { url: 'memory://', logger })
    await new Notifier(bus).info({}, 'e', {})
    expect(warnings[0]).toMatch(
      /^\[oslo_messaging_notifications\] driver \(.*service\.conf:2\) is empty: it names nothing and is left out$/,
    )
    await bus.close()
  })

  it.each([
    ['oslo_messaging_metrics', 'metrics_enabled', 'docs/diagnostics.md'],
    ['oslo_messaging_tracing', 'tracing_enabled', 'docs/diagnostics.md'],
  ])('[%s] %s = true is not accepted in silence', async (group, name, remedy) => {
    const { logger, warnings } = recordWarnings()
    await loadConfig({ files: await write(['service.conf', `[${group}]\n${name} = true\n`]), logger })
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`^\\[${group}\\] ${name} \\(.*:2\\) has no effect here: .*${remedy}`)),
    ])
    const quiet = recordWarnings()
    await loadConfig({ files: await write(['service.conf', `[${group}]\n${name} = false\n`]), logger: quiet.logger })
    expect(quiet.warnings).toEqual([])
  })

  it('an option that oslo once had is passed over with a warning; an unknown one is refused as ever', async () => {
    const { logger, warnings } = recordWarnings()
    const conf = await loadConfig({
      files: await write(['service.conf', '[oslo_messaging_widget]\nancient_count = 3\n']),
      logger,
    })
    expect(conf.resolve(widgetConfig).count).toBe(1)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^\[oslo_messaging_widget\] ancient_count \(.*:2\) is no option any more: count it yourself$/,
      ),
    ])
    await configurationError(() => conf.resolve(widgetConfig, { ancient_count: '3' }))
  })
})
