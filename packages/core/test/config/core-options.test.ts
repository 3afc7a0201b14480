import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CORE_FRAGMENTS } from '../../src/config/core-options.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ConfigFragment, OptionDefinition } from '../../src/config/option.ts'
import { ConfigurationError } from '../../src/errors.ts'

interface Fact {
  readonly name: string
  readonly type: string
  readonly default: unknown
  readonly choices?: readonly string[]
  readonly secret?: boolean
  readonly oldNames?: readonly { group: string; name: string }[]
}
const COMPARED = ['type', 'default', 'choices', 'secret'] as const
const file = new URL('oslo-options.json', import.meta.url)
const { groups } = JSON.parse(readFileSync(file, 'utf8')) as { groups: Record<string, readonly Fact[]> }
const facts = Object.entries(groups).flatMap(([group, options]) => options.map((fact) => ({ group, ...fact })))

const definitionOf = (group: string, name: string): OptionDefinition => {
  const fragment = CORE_FRAGMENTS.find((each) => each.group === group) as ConfigFragment
  const definition = fragment.options[name]
  if (definition === undefined) throw new Error(`[${group}] ${name} is missing`)
  return definition
}

describe('13 options of core', () => {
  it('13.0 all options are there, and no other', () => {
    const ours = CORE_FRAGMENTS.filter(({ group }) => group !== 'oslo_messaging_nodejs').flatMap(({ group, options }) =>
      Object.keys(options).map((name) => `[${group}] ${name}`),
    )
    expect(ours.toSorted()).toEqual(facts.map(({ group, name }) => `[${group}] ${name}`).toSorted())
  })

  it.each(facts)('13.0 [$group] $name - type, default and choices are those of oslo', (fact) => {
    const definition = definitionOf(fact.group, fact.name)
    for (const field of COMPARED) expect(definition[field]).toEqual(fact[field])
    expect((definition.deprecatedNames ?? []).map((old) => ({ group: fact.group, ...old }))).toEqual(
      fact.oldNames ?? [],
    )
    expect(definition.doc).toMatch(/^[A-Z].*\.$/)
  })

  it.each(facts)(
    '13.0 [$group] $name - has its default when nothing is configured',
    async ({ group, name, ...fact }) => {
      const conf = await loadConfig()
      expect(conf.get(group as 'DEFAULT', name as 'transport_url')).toEqual(fact.default)
    },
  )

  const old = facts.flatMap((fact) => (fact.oldNames ?? []).map((from) => ({ ...fact, from })))
  it.each(old)('13.0 [$from.group] $from.name - is still read as [$group] $name', async ({ group, name, from }) => {
    const definition = definitionOf(group, name)
    const sample = definition.type === 'integer' ? '7' : 'kafka://x'
    const conf = await loadConfig({ env: { [`OS_${from.group.toUpperCase()}__${from.name.toUpperCase()}`]: sample } })
    const value: unknown = conf.get(group as 'DEFAULT', name as 'transport_url')
    expect(Array.isArray(value) ? value.join(',') : String(value)).toBe(sample)
  })

  it.each([
    ['DEFAULT', 'executor_thread_pool_size', '0', 'an integer of at least 1'],
    ['DEFAULT', 'rpc_response_timeout', '-1', 'an integer of at least 0'],
    ['DEFAULT', 'rpc_response_timeout', '1.5', 'an integer'],
    ['DEFAULT', 'rpc_response_timeout', 'soon', 'an integer'],
    ['DEFAULT', 'rpc_response_timeout', '', 'an integer'],
    ['DEFAULT', 'rpc_ping_enabled', 'maybe', 'true or false'],
    ['oslo_messaging_notifications', 'retry', '-2', 'an integer of at least -1'],
    ['oslo_messaging_tracing', 'otlp_protocol', 'carrier pigeon', 'one of http/protobuf, grpc'],
  ])('13.0 [%s] %s - refuses %j', async (group, name, value, remedy) => {
    const loading = loadConfig({ env: { [`OS_${group.toUpperCase()}__${name.toUpperCase()}`]: value } })
    const error: unknown = await loading.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ option: `[${group}] ${name}` })
    expect(String(error)).toContain(`must be ${remedy}`)
    expect(String(error)).toContain(`${/^-?\d+$/.test(value) ? value : JSON.stringify(value)} is not`)
    expect(String(error)).toContain(`environment OS_${group.toUpperCase()}__`)
  })
})
