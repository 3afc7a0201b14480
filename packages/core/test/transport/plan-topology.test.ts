import { describe, expect, it } from 'vitest'
import type { DriverDefinition, MigrationSide } from '../../src/driver.ts'
import {
  createDriverRegistry,
  loadConfig,
  planTopology,
  type PlanTopologyOptions,
  Target,
  type TopologyUse,
} from '../../src/index.ts'
import { memoryDriver } from '../../src/testing.ts'

const PLAN = { declarations: [], documents: { one: 'text' } } as const
const USES: readonly TopologyUse[] = [
  { role: 'rpc-client', target: new Target({ topic: 'work' }), pool: null, priorities: [] },
]

function planner() {
  const asked: { readonly side: MigrationSide; readonly uses: readonly TopologyUse[] }[] = []
  const definition: DriverDefinition = {
    ...memoryDriver,
    name: 'one',
    schemes: ['one'],
    planTopology(side, uses) {
      asked.push({ side, uses })
      return PLAN
    },
  }
  return { asked, registry: createDriverRegistry({ drivers: [definition, memoryDriver] }) }
}

const conf = async (transport_url: string, notifications?: string) =>
  await loadConfig({
    overrides: {
      DEFAULT: { transport_url, control_exchange: 'nova' },
      ...(notifications === undefined ? {} : { oslo_messaging_notifications: { transport_url: notifications } }),
    },
  })

describe('the topology of a configuration', () => {
  it('is what its driver says, which is given the uses and the configuration it would be opened with', async () => {
    const { asked, registry } = planner()
    expect(await planTopology(await conf('one://rpc/', 'one://bus/'), USES, { registry })).toEqual(PLAN)
    await planTopology(await conf('one://rpc/', 'one://bus/'), USES, { registry, section: 'notifications' })
    expect(asked.map(({ side }) => String(side.url))).toEqual(['one://rpc/', 'one://bus/'])
    expect(asked[0]).toMatchObject({ uses: USES, side: { defaultExchange: 'nova' } })
  })

  it('of a driver that does not say - is refused by name; so is an option that is none', async () => {
    const { registry } = planner()
    await expect(planTopology(await conf('memory://'), USES, { registry })).rejects.toThrow(
      'The memory driver does not say what it declares',
    )
    const mistyped = { registry, sektion: 'default' } as PlanTopologyOptions
    await expect(planTopology(await conf('one://'), USES, mistyped)).rejects.toThrow('sektion')
  })
})
