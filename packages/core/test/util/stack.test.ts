import { expect, it } from 'vitest'
import { beginAtCaller } from '../../src/util/stack.ts'

it('a stack begins at the caller, not in Node, also where an await goes on between two timers', async () => {
  const stacks: string[] = []
  const call = async (): Promise<void> => {
    await new Promise<void>((resolve) => setTimeout(resolve, 5))
    throw beginAtCaller(new Error('late'), call)
  }
  const thisFunctionCalls = async (): Promise<void> => await call()
  const noted = async (): Promise<void> => {
    await thisFunctionCalls().catch((error: Error) => stacks.push(error.stack?.split('\n')[1] ?? ''))
  }
  await Promise.all(Array.from({ length: 3 }, noted))
  expect(stacks).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('thisFunctionCalls')))
})
