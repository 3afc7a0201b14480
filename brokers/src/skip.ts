import { BrokerUnavailable } from './errors.ts'

/** For tests: what `asked` resolves to, or undefined (skip, the reason is printed) when this machine cannot have the
 *  broker. When CI is set a missing broker is an error: a job that tests nothing must not pass. */
export async function skipOrFail<T>(asked: Promise<T>, env: NodeJS.ProcessEnv = process.env): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const ci = env['CI'] ?? ''
    if (!(error instanceof BrokerUnavailable) || (ci !== '' && ci !== 'false' && ci !== '0')) throw error
    process.stderr.write(`skipped: ${error.message}\n`)
    return undefined
  }
}
