import type { Logger } from '../diagnostics/logger.ts'
import { errorText } from '../util/text.ts'

type Task = () => Promise<void> | void

/** Gives every task its turn, whatever happens to the others, and rejects with the first failure; further ones are
 *  logged as `what`.
 *  Not `async` for the usual one: each wrapper lives as long as the notification is on its way, and thousands may
 *  be. */
export function runAll(tasks: readonly Task[], logger: Logger, what: string): Promise<void> {
  const [only] = tasks
  return tasks.length === 1 && only !== undefined ? runOne(only) : runEach(tasks, logger, what)
}

function runOne(task: Task): Promise<void> {
  try {
    return Promise.resolve(task())
  } catch (error) {
    return Promise.reject(error)
  }
}

async function runEach(tasks: readonly Task[], logger: Logger, what: string): Promise<void> {
  const outcomes = await Promise.allSettled(tasks.map(async (task) => await task()))
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
  const [first, ...others] = failures
  for (const { reason } of others) logger.error(`${what}: ${errorText(reason)}`, { error: reason as unknown })
  if (first !== undefined) throw first.reason
}
