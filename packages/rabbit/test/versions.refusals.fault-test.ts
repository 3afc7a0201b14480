import { afterAll, describe } from 'vitest'
import { WITHOUT_TRANSIENT_QUEUES } from './support/deprecated.ts'
import { ownRabbit, VERSIONS } from './support/own-broker.ts'
import { refusals } from './support/refusals.ts'

for (const version of VERSIONS.filter((name) => name.startsWith('4'))) {
  const broker = await ownRabbit({ version, config: WITHOUT_TRANSIENT_QUEUES })

  describe.skipIf(broker === undefined)(`P04 - RabbitMQ ${version} that refuses transient queues`, () => {
    if (broker === undefined) return
    afterAll(async () => await broker.close())
    // Longer than the first two waits between attempts would be: a loop would show.
    refusals(broker, 4000)
  })
}
