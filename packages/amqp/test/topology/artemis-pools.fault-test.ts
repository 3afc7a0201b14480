import { afterAll, describe } from 'vitest'
import { artemis } from '../support/artemis.ts'
import { openDriver } from '../support/open-driver.ts'
import { runPoolSuite } from '../support/pool-suite.ts'

const broker = await artemis()
afterAll(() => broker?.close())

describe.skipIf(broker === undefined).each(['legacy', 'routable'] as const)(
  'pools on Artemis, %s addresses',
  (mode) => {
    if (broker === undefined) return
    runPoolSuite({
      open: () => openDriver(broker.url, { addressing_mode: mode }),
      restart: () => broker.broker.restart(),
    })
  },
)
