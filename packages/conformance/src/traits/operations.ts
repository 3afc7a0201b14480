import type { Deadline, Driver } from '@oslo-messaging/core/driver'
import type { Need } from '../case.ts'
import type { Harness } from '../harness.ts'

/** One operation of a driver, for traits that hold for all of them. */
export interface Operation {
  readonly name: string
  readonly needs: readonly Need[]
  readonly run: (harness: Harness, driver: Driver, deadline: Deadline) => Promise<unknown>
}

export const operations: readonly Operation[] = [
  {
    name: 'call',
    needs: ['rpc'],
    run: (harness, driver, deadline) => harness.call(driver, harness.target(), 'm', {}, { deadline }),
  },
  {
    name: 'cast',
    needs: ['rpc'],
    run: (harness, driver, deadline) => harness.cast(driver, harness.target(), 'm', {}, { deadline }),
  },
  {
    name: 'fanout',
    needs: ['rpc', 'rpcFanout'],
    run: (harness, driver, deadline) =>
      harness.cast(driver, harness.target().with({ fanout: true }), 'm', {}, { deadline }),
  },
  {
    name: 'notify',
    needs: ['notifications'],
    run: (harness, driver, deadline) => harness.notify(driver, harness.target(), 'info', {}, { deadline }),
  },
  {
    name: 'listen',
    needs: ['rpc'],
    run: (harness, driver, deadline) => harness.serve(driver, harness.target({ server: 'a' }), { deadline }),
  },
  {
    name: 'listen for notifications',
    needs: ['notifications'],
    run: (harness, driver, deadline) => harness.subscribe(driver, harness.target(), { deadline }),
  },
]
