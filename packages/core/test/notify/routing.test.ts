import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import { Notifier } from '../../src/notify/notifier.ts'
import { RoutingRules } from '../../src/notify/routing-rules.ts'
import { compileShellPattern } from '../../src/notify/shell-pattern.ts'
import { unitTables } from '../unit-tables.ts'
import { createFakeBus, type FakeBus } from './fake-bus.ts'

describe('N15 routing rules', () => {
  const rows = unitTables['unit-notification-routing'] ?? []

  it('has the whole table', () => {
    expect(rows.length).toBeGreaterThan(30)
  })

  it.each(rows)('$title', ({ compute, python }) => {
    expect(compute()).toEqual(python)
  })

  it('takes a driver once, whatever number of groups choose it', () => {
    const rules = RoutingRules.from({ a: { log: null, test: {} }, b: { log: {} } })
    expect([...rules.driversFor('e', 'info')]).toEqual(['log', 'test'])
    expect([...rules.drivers]).toEqual(['log', 'test'])
  })

  it.each([[null], [{}], [{ group: null }]])('%j routes nothing', (groups) => {
    expect(RoutingRules.from(groups).driversFor('e', 'info').size).toBe(0)
  })

  it.each([
    [['list'], 'the file'],
    [{ g: 'text' }, 'g must be a mapping'],
    [{ g: { log: 5 } }, 'g.log must be a mapping'],
    [{ g: { log: { accepted_events: 'e' } } }, 'g.log.accepted_events must be a list of texts'],
    [{ g: { log: { accepted_priorities: [1] } } }, 'g.log.accepted_priorities'],
  ])('names what is wrong in %j', (groups, message) => {
    expect(() => RoutingRules.from(groups)).toThrow(ConfigurationError)
    expect(() => RoutingRules.from(groups)).toThrow(message)
  })
})

describe('N15 shell patterns', () => {
  const rows: readonly [pattern: string, text: string, matches: boolean][] = [
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['a**c', 'a\nc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[!a-c]x', 'dx', true],
    ['[!a-c]x', 'ax', false],
    ['[]]', ']', true],
    ['[!]]', 'a', true],
    ['[c-a]x', 'bx', false],
    ['[^a]', '^', true],
    ['[\\]', '\\', true],
    ['[[]', '[', true],
    ['[open', '[open', true],
    ['a+(b)|{2}$', 'a+(b)|{2}$', true],
    ['A', 'a', false],
  ]
  it.each(rows)('%s on %j: %s', (pattern, text, matches) => {
    expect(compileShellPattern(pattern).test(text)).toBe(matches)
  })
})

describe('N15 routing driver', () => {
  const notifierWith = async (yaml: string | null): Promise<readonly [Notifier, FakeBus]> => {
    const folder = mkdtempSync(join(tmpdir(), 'routing-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'routing.yaml')
    if (yaml !== null) writeFileSync(file, yaml)
    const bus = await createFakeBus({ notifications: { routing_config: file } })
    return [new Notifier(bus.transport, { driver: 'routing' }), bus]
  }

  it('delivers, by event and priority', async () => {
    const [notifier, bus] = await notifierWith(`
group_1:
  messagingv2:
    accepted_events: [compute.*]
    accepted_priorities: [INFO, error]
  log:
    accepted_priorities: ['*']
group_2:
  messagingv2: {accepted_events: [compute.instance.*]}
`)
    await notifier.info({}, 'compute.instance.create', { a: 1 })
    await notifier.info({}, 'network.create', { b: 2 })
    await notifier.debug({}, 'compute.instance.create', {})
    expect(bus.sent.map(({ target, options }) => [target.topic, options.version])).toEqual([
      ['notifications.info', '2.0'],
      ['notifications.debug', '2.0'],
    ])
    expect(bus.lines.map((line) => line.level)).toEqual(['info', 'info', 'debug'])
  })

  it('rejects when a driver it chose fails, after the others had their turn', async () => {
    const [notifier, bus] = await notifierWith('g: {messaging: {}, messagingv2: {}}')
    bus.onSend = ({ options }) => Promise.reject(new Error(`no ${options.version}`))
    await expect(notifier.info({}, 'e', {})).rejects.toThrow('no 1.0')
    expect(bus.sent).toHaveLength(2)
  })

  it('says what in the file has no effect: misspelt conditions, and priorities that do not exist', async () => {
    const [, bus] = await notifierWith('g: {log: {accepted_event: [a], accepted_priorities: [fatal, warn*], note: x}}')
    expect(bus.lines).toEqual([
      {
        level: 'warn',
        message: 'routing_config: g.log.accepted_event is not read; did you mean accepted_events?',
        fields: { advice: true },
      },
      { level: 'warn', message: 'routing_config: g.log.note is not read', fields: { advice: true } },
      {
        level: 'warn',
        message:
          'routing_config: g.log.accepted_priorities: fatal is no priority; audit, debug, info, warn, error, critical, sample are',
        fields: { advice: true },
      },
    ])
  })

  it('an empty file routes nothing', async () => {
    const [notifier, bus] = await notifierWith('')
    await notifier.info({}, 'e', {})
    expect(bus.sent).toEqual([])
  })

  it('without a file warns once and routes nothing', async () => {
    const bus = await createFakeBus()
    await new Notifier(bus.transport, { driver: 'routing' }).info({}, 'e', {})
    expect(bus.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('routing_config') }])
  })

  it.each([
    ['a missing file', null, /cannot be read/],
    ['no YAML', 'a: [', /is no YAML/],
    ['routing itself', 'g: {routing: {}}', /cannot route to itself/],
    ['an unknown driver', 'g: {messagingv3: {}}', /no notification driver messagingv3/],
  ])('refuses %s while the notifier is made', async (_name, yaml, message) => {
    const made = notifierWith(yaml)
    await expect(made).rejects.toThrow(message)
    await expect(made).rejects.toBeInstanceOf(ConfigurationError)
  })
})
