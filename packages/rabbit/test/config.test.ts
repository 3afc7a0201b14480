import { readFileSync } from 'node:fs'
import { createDriverRegistry, getRpcTransport, loadConfig } from '@oslo-messaging/core'
import type { ConfigFragment } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { rabbitConfig } from '../src/config.ts'
import { rabbitDriver } from '../src/index.ts'

interface Fact {
  readonly name: string
  readonly oldNames?: readonly { group: string; name: string }[]
  readonly type: string
  readonly default: unknown
  readonly choices?: readonly string[]
  readonly min?: number
  readonly max?: number
}
const COMPARED = ['type', 'default', 'choices', 'max'] as const
const file = new URL('oslo-options.json', import.meta.url)
const { options: facts } = JSON.parse(readFileSync(file, 'utf8')) as { options: readonly Fact[] }
const { group, options }: ConfigFragment = rabbitConfig

describe('13 options of [oslo_messaging_rabbit]', () => {
  it('13.0 all options of oslo are read, under their own or a later name', () => {
    const names = Object.entries(options).flatMap(([name, { deprecatedNames = [] }]) => [
      name,
      ...deprecatedNames.map((old) => old.name),
    ])
    expect(group).toBe('oslo_messaging_rabbit')
    expect(facts.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([])
  })

  const present = facts.filter(({ name }) => name in options)
  it.each(present)('13.0 $name - type, default, choices and old names are those of oslo', (fact) => {
    const definition = options[fact.name]
    for (const field of COMPARED) expect(definition?.[field]).toEqual(fact[field])
    if (fact.min !== undefined) expect(definition?.min).toBe(fact.min)
    const old = (definition?.deprecatedNames ?? []).map((each) => ({ group, ...each }))
    expect(old).toEqual(expect.arrayContaining([...(fact.oldNames ?? [])]))
    expect(definition?.doc).toMatch(/^[A-Z].*\.$/)
  })
})

it.each([
  { where: 'the file', overrides: { oslo_messaging_rabbit: { rabbit_quorom_queue: true } }, url: 'rabbit://h/' },
  { where: 'the URL', overrides: {}, url: 'rabbit://h/?rabbit_quorom_queue=true' },
])(
  'P16 - a typo in the name of an option in $where fails the start, with the name that was meant',
  async ({ overrides, url }) => {
    const registry = createDriverRegistry({ drivers: [rabbitDriver], discover: false })
    const start = async () => await getRpcTransport(await loadConfig({ overrides }), { url, registry })
    await expect(start()).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_CONFIGURATION',
      message: expect.stringMatching(/rabbit_quorom_queue.*rabbit_quorum_queue/s) as string,
    })
  },
)
