import { isDeepStrictEqual } from 'node:util'
import { DRIVER_API, type DriverDefinition } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'

/** Each of our driver packages, as an application imports it. */
const packages: Readonly<Record<string, () => Promise<Readonly<Record<string, unknown>>>>> = {
  amqp: () => import('@oslo-messaging/amqp'),
  kafka: () => import('@oslo-messaging/kafka'),
  rabbit: () => import('@oslo-messaging/rabbit'),
}

describe('driver packages are alike', () => {
  it.each(Object.entries(packages))('%s exports its definition by name and as default', async (name, load) => {
    const module = await load()
    const driver = module[`${name}Driver`] as DriverDefinition
    expect(module['default']).toBe(driver)
    expect(driver.name).toBe(name)
    expect(driver.api).toBe(DRIVER_API)
    expect(driver.schemes).toContain(name)
    const make = module[`create${name[0]?.toUpperCase()}${name.slice(1)}Driver`] as () => DriverDefinition
    expect(isDeepStrictEqual(make().capabilities, driver.capabilities)).toBe(true)
  })
})
