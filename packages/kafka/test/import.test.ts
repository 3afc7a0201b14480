import { expect, it, vi } from 'vitest'

vi.mock('kafkajs', () => {
  throw new Error('the client library was loaded')
})

it('import - the client library waits until a transport is opened', async () => {
  const { kafkaDriver } = await import('../src/index.ts')
  expect(kafkaDriver.schemes).toEqual(['kafka'])
  await expect(import('../src/open.ts')).rejects.toThrow()
})
