import { createRequire } from 'node:module'
import { DriverLoadFailure } from '@oslo-messaging/core/driver'

const require = createRequire(import.meta.url)

/** A file inside kafkajs, as it is loaded there.
 *  Throws: DriverLoadFailure when this kafkajs has no such file, or `isShape` does not recognize what it holds. */
export function internal<T>(path: string, isShape: (found: unknown) => found is T): T {
  let found: unknown
  try {
    found = require(`kafkajs/src/${path}`)
  } catch (error) {
    throw unknownShape(`there is no file src/${path}`, error)
  }
  return shaped(found, isShape, `src/${path}`)
}

/** What was found inside kafkajs, recognized.
 *  Throws: DriverLoadFailure. */
export function shaped<T>(found: unknown, isShape: (found: unknown) => found is T, where: string): T {
  if (isShape(found)) return found
  throw unknownShape(`${where} is not what it was`)
}

function unknownShape(problem: string, cause?: unknown): DriverLoadFailure {
  return new DriverLoadFailure(
    'kafka',
    `This kafkajs is not the one this driver was made for (${problem}): install kafkajs 2.2.4, the version in the dependencies of @oslo-messaging/kafka`,
    cause === undefined ? {} : { cause },
  )
}

export function isFunction(found: unknown): found is (...args: never[]) => unknown {
  return typeof found === 'function'
}
