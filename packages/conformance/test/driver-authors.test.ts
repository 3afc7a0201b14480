import { readFile } from 'node:fs/promises'
import { TransportURL } from '@oslo-messaging/core'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { describe, expect, it } from 'vitest'
import { runDriverConformance } from '../src/index.ts'
import { loopbackDriver } from './support/loopback-driver.ts'
import { relayDriver } from './support/relay-driver.ts'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

for (const definition of [loopbackDriver, relayDriver]) {
  const { name, capabilities } = definition
  describe(`the driver ${name} of docs/driver-authors.md`, () => {
    it('docs - show the driver that is tested here', async () => {
      const page = await read('../../../docs/driver-authors.md')
      expect(page).toContain(`\`\`\`ts\n${await read(`./support/${name}-driver.ts`)}\`\`\``)
    })

    runDriverConformance({
      describe,
      it,
      capabilities,
      createDriver: () => definition.open(TransportURL.parse(`${name}://`), createDriverContext(definition)),
    })
  })
}
