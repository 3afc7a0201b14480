import { copyFile } from 'node:fs/promises'
import path from 'node:path'

import { cached } from './cache.ts'
import { BrokerUnavailable } from './errors.ts'
import { recipe } from './recipes.ts'
import { findCommand, progress, run } from './run.ts'

export interface JarsOptions {
  /** `kafka`, `artemis` or `broker-j`, for messages. */
  readonly broker: string
  readonly version: string
  /** pom.xml in the recipes. */
  readonly pom: string
  /** Properties that the pom uses. */
  readonly properties: Readonly<Record<string, string>>
  /** What a person can do without Java. */
  readonly remedy: string
}

export interface Jars {
  /** Folder for the class path. */
  readonly folder: string
  readonly java: string
}

/** The folder with the jars of a broker, copied by Maven coordinates into the cache. Rejects with BrokerUnavailable
 *  when Java or, on the first time, Maven is missing or the registry does not answer. */
export async function jars(options: JarsOptions): Promise<Jars> {
  const { broker, version, remedy } = options
  const java = await findCommand('java')
  if (java === undefined)
    throw new BrokerUnavailable(broker, 'java is missing', `install a Java 17 development kit, ${remedy}`)
  const folder = await cached(`${broker}-${version}`, async (into) => {
    if ((await findCommand('mvn')) === undefined) {
      throw new BrokerUnavailable(broker, 'mvn is missing, so its jars cannot be fetched', `install Maven, ${remedy}`)
    }
    const started = performance.now()
    progress(`fetching ${broker} ${version} with Maven into ${into} (about 45 MB, once)`)
    const pom = path.join(into, 'pom.xml')
    await copyFile(recipe(options.pom), pom)
    let downloads = 0
    const result = await run(
      'mvn',
      [
        '-B',
        '-f',
        pom,
        ...Object.entries(options.properties).map(([key, value]) => `-D${key}=${value}`),
        'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${into}`,
      ],
      {
        tied: true,
        onLine: (line) => {
          if (line.includes('Downloaded from') && ++downloads % 20 === 0)
            progress(`${broker} ${version}: ${downloads} files downloaded`)
        },
      },
    )
    if (result.code !== 0) {
      const reason =
        result.stdout.split('\n').find((line) => line.startsWith('[ERROR]')) ?? `mvn ended with ${result.code}`
      throw new BrokerUnavailable(
        broker,
        `its jars could not be fetched (${reason})`,
        `check Maven's settings, ${remedy}`,
      )
    }
    progress(`${broker} ${version}: ready in the cache after ${Math.round((performance.now() - started) / 1000)} s`)
  })
  return { folder, java }
}
