import { expect, it, vi } from 'vitest'

vi.mock('amqplib', () => {
  throw new Error('the client library was loaded')
})

it('import - the client library waits until a transport is opened', async () => {
  const { rabbitDriver } = await import('../src/index.ts')
  expect(rabbitDriver.schemes).toEqual(['rabbit', 'kombu'])
  await expect(import('../src/client/client.ts')).rejects.toThrow()
})
