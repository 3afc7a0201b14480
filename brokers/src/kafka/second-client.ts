import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../cache.ts'
import { BrokerUnavailable } from '../errors.ts'
import { progress } from '../run.ts'

const execute = promisify(execFile)
/** The newest line that declares Node 20. */
export const SECOND_KAFKA_CLIENT: { readonly name: string; readonly version: string } = {
  name: '@platformatic/kafka',
  version: '1.35.0',
}

/** Imports the second client library of the Kafka driver from the cache, where npm puts it on first use (some 10 s). It
 *  is no dependency of this workspace: it declares Node 20 and runs there, but two packages below it declare Node 22,
 *  which `engineStrict` refuses.
 *  Rejects with BrokerUnavailable when there is no package registry. */
export async function importSecondKafkaClient(): Promise<unknown> {
  const { name, version } = SECOND_KAFKA_CLIENT
  const folder = await cached(`platformatic-kafka-${version}`, async (into) => {
    const what = `${name}@${version}`
    progress(`installing ${what} into ${into}`)
    try {
      await execute('npm', ['install', '--prefix', into, '--ignore-scripts', '--no-audit', '--no-fund', what])
    } catch (error) {
      throw new BrokerUnavailable(
        'second Kafka client',
        `${what} cannot be installed (${String(error)})`,
        'check that npm reaches its registry',
      )
    }
  })
  const entry = createRequire(path.join(folder, 'package.json')).resolve(name)
  return await import(pathToFileURL(entry).href)
}
