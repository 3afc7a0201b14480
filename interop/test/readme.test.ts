import { expect, it } from 'vitest'
import { runReadme } from './support/readme.ts'

it('the server and the client of the README print what they say, in process', async () => {
  expect(await runReadme('A server and a client', 'memory://')).toBe('5\n')
})

// Nothing keeps a process that has only itself to talk to: a signal would race with its end.
it('the whole service of the README gets its notification and ends well, in process', async () => {
  expect(await runReadme('A whole service', 'memory://')).toContain('compute.node1 instance.created { id: 42 }')
})
