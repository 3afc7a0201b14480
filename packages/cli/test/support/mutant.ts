import type { DriverDefinition } from '@oslo-messaging/core'

type Driver = Awaited<ReturnType<DriverDefinition['open']>>

/** A driver with something of it changed. */
export function mutant(honest: DriverDefinition, change: (driver: Driver) => void): DriverDefinition {
  return {
    ...honest,
    open: async (url, context) => {
      const driver = await honest.open(url, context)
      change(driver)
      return driver
    },
  }
}

/** One that acknowledges every so many'th notification without sending it, and how many those were. */
export function forgetful(honest: DriverDefinition, each: number) {
  let [asked, dropped] = [0, 0]
  const driver = mutant(honest, (one) => {
    const send = one.sendNotification.bind(one)
    one.sendNotification = async (...args) => {
      asked += 1
      if (asked % each !== 0) return await send(...args)
      dropped += 1
    }
  })
  return { driver, dropped: () => dropped }
}
