import { describe, expect, it } from 'vitest'
import type { DriverDefinition, MigrationSide } from '../../src/driver.ts'
import { createDriverRegistry, loadConfig, planMigration } from '../../src/index.ts'
import { memoryDriver } from '../../src/testing.ts'

const PLAN = { kind: 'nothing', summary: 'The same.', changes: [], steps: [] } as const

/** A driver that keeps what it is asked. */
function planner(scheme: string) {
  const asked: [MigrationSide, MigrationSide][] = []
  const definition: DriverDefinition = {
    ...memoryDriver,
    name: scheme,
    schemes: [scheme],
    planMigration(from, to) {
      asked.push([from, to])
      return PLAN
    },
  }
  return { asked, definition }
}

const configOf = async (transport_url: string, notifications?: string) =>
  await loadConfig({
    overrides: {
      DEFAULT: { transport_url },
      ...(notifications === undefined ? {} : { oslo_messaging_notifications: { transport_url: notifications } }),
    },
  })

describe('the plan of a migration', () => {
  it('is the driver’s own, of both configurations as it would be opened with them', async () => {
    const { asked, definition } = planner('one')
    const registry = createDriverRegistry({ drivers: [definition] })
    const [from, to] = [await configOf('one://old/'), await configOf('one://new/')]
    expect(await planMigration(from, to, { registry })).toEqual(PLAN)
    expect(asked.map((sides) => sides.map(({ url }) => String(url)))).toEqual([['one://old/', 'one://new/']])
    expect(asked[0]?.[0].defaultExchange).toBe('openstack')
  })

  it('of notifications - is that of their own URLs', async () => {
    const { asked, definition } = planner('one')
    const registry = createDriverRegistry({ drivers: [definition] })
    const [from, to] = [await configOf('one://old/', 'one://events/'), await configOf('one://new/')]
    await planMigration(from, to, { registry, section: 'notifications' })
    expect(asked.map((sides) => sides.map(({ url }) => String(url)))).toEqual([['one://events/', 'one://new/']])
  })

  it('between two drivers, or of one that has none - is refused by name', async () => {
    const registry = createDriverRegistry({
      drivers: [planner('one').definition, planner('two').definition, memoryDriver],
    })
    const one = await configOf('one://a/')
    const two = await configOf('two://a/')
    const memory = await configOf('memory://')
    await expect(planMigration(one, two, { registry })).rejects.toThrow('From the one driver to the two driver')
    await expect(planMigration(memory, memory, { registry })).rejects.toThrow('has no plan of migration')
  })
})
