import { expect, it } from 'vitest'
import { runReadme } from './support/readme.ts'

it('the server and the client of the README print what they say, in process', async () => {
  expect(await runReadme('A server and a client', 'memory://')).toBe('5\n')
})

it('the whole service of the README gets its notification, and ends well when it is told to, in process', async () => {
  const printed = await runReadme('A whole service', 'memory://', 'instance.created')
  expect(printed).toContain('compute.node1 instance.created { id: 42 }')
})
