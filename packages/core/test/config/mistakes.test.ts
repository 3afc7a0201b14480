import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type ConfigOverrides,
  getNotificationTransport,
  getRpcTransport,
  loadConfig,
  Notifier,
} from '../../src/index.ts'
import { configurationError, recordWarnings, write } from './helpers.ts'
import { widgetConfig } from './widget.ts'

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
    ['X1', 'oslo_messaging_metrics', 'metrics_enabled', '@oslo-messaging/oslo-metrics'],
    ['Y1', 'oslo_messaging_tracing', 'tracing_enabled', '@oslo-messaging/opentelemetry'],
  ])('%s [%s] %s = true names the package that makes it true when it is absent', async (_row, group, name, remedy) => {
    const file = await write(['service.conf', `[${group}]\n${name} = true\n`])
    const conf = await loadConfig({ files: file })
    // Packages are looked for from the program on: this one lies where nothing is installed.
    const [, program = ''] = process.argv
    process.argv[1] = String(file)
    onTestFinished(() => void (process.argv[1] = program))
    await expect(getRpcTransport(conf, { url: 'memory://' })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      message: `[${group}] ${name} needs a package that is not installed: npm install ${remedy}`,
    })
    // Python neither traces nor counts notifications.
    await (await getNotificationTransport(conf, { url: 'memory://' })).close()
    const off = await loadConfig({ files: await write(['service.conf', `[${group}]\n${name} = false\n`]) })
    await (await getRpcTransport(off, { url: 'memory://' })).close()
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
