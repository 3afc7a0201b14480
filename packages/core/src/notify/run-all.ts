import type { Logger } from '../diagnostics/logger.ts'
import { errorText } from '../util/text.ts'

/** Gives every task its turn, whatever happens to the others, and rejects with the first failure; further ones are logged as `what`. */
export async function runAll(
  tasks: readonly (() => Promise<void> | void)[],
  logger: Logger,
  what: string,
): Promise<void> {
  const [only] = tasks
  if (tasks.length === 1 && only !== undefined) return await only()
  const outcomes = await Promise.allSettled(tasks.map(async (task) => await task()))
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
  const [first, ...others] = failures
  for (const { reason } of others) logger.error(`${what}: ${errorText(reason)}`, { error: reason as unknown })
  if (first !== undefined) throw first.reason
}
