import { afterAll, beforeAll, expect } from 'vitest'
import type { KafkaBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique } from './broker.ts'
import { settled } from './cluster.ts'
import { listen, openReal } from './open-driver.ts'

/** One driver for all tests of a suite that breaks the broker it has to itself. Both are closed at the end, and Node
 *  must have had nothing to warn of by then. */
export function useDriver(broker: KafkaBroker, onOpen: (driver: Driver) => void): void {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => {
    warnings.push(warning)
  }
  let driver: Driver | undefined

  beforeAll(async () => {
    process.on('warning', onWarning)
    driver = await openReal(broker.url)
    onOpen(driver)
  })

  afterAll(async () => {
    await driver?.close()
    await broker.close()
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })
}

/** As `useDriver`, on a cluster whose groups have their coordinators. */
export function useClusterDriver(broker: KafkaBroker, onOpen: (driver: Driver) => void): void {
  let driver: Driver
  useDriver(broker, (opened) => {
    driver = opened
    onOpen(opened)
  })

  beforeAll(async () => {
    // The first use of a group makes Kafka's own topic of positions, which says who the coordinator is.
    const first = await listen(driver, unique('first'))
    await first.listener.close()
    await settled(broker, [OFFSETS])
  })
}

/** Kafka's own topic with the positions of all groups. */
export const OFFSETS = '__consumer_offsets'
