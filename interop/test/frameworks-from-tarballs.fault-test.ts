import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'
import { tarballs } from '../../scripts/ci/tarballs.mjs'

const execute = promisify(execFile)
const examples = fileURLToPath(new URL('../../examples/', import.meta.url))
const rabbit = await skipOrFail(sharedBroker('rabbit'))
// Of its own, because the programs name their topics themselves.
const kafka = await skipOrFail(startBroker('kafka'))
afterAll(() => kafka?.close())

const NEST = ['reflect-metadata@0.2.2', 'rxjs@7.8.2']
const nest = (version: string, microservices: string): readonly string[] => [
  `@nestjs/common@${version}`,
  `@nestjs/core@${version}`,
  `@nestjs/microservices@${microservices}`,
  ...NEST,
]
/** The application, the packages of ours, and what it needs besides. */
const APPLICATIONS = [
  ['Nest 11', '09-nestjs', 'nestjs', nest('11.2.10', '11.2.6')],
  ['Nest 12', '09-nestjs', 'nestjs', nest('12.5.1', '12.1.1')],
  ['Fastify 5', '08-fastify', 'fastify', ['fastify@5.12.8']],
] as const
const COMPILER = ['typescript@5.9.3', '@types/node@20']
const SETTINGS = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    outDir: 'dist',
    rootDir: 'src',
    experimentalDecorators: true,
    rewriteRelativeImportExtensions: true,
    types: ['node'],
  },
  include: ['src'],
}

/** An empty folder with the application's sources, and everything else from tarballs and from the registry. */
async function install(example: string, ours: string, others: readonly string[]): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'from-tarballs-'))
  await mkdir(path.join(folder, 'src'))
  await cp(path.join(examples, example, 'src'), path.join(folder, 'src'), { recursive: true })
  await cp(path.join(examples, example, 'service.conf'), path.join(folder, 'service.conf'))
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(SETTINGS))
  const packed = await tarballs()
  const names = ['core', 'rabbit', 'kafka', ours].map((name) => `@oslo-messaging/${name}`)
  const files = names.map((name) => String(packed.get(name)))
  const words = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...files, ...others, ...COMPILER]
  await execute('npm', words, { cwd: folder, maxBuffer: 1e8 })
  await execute(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: folder })
  return folder
}

describe.skipIf(rabbit === undefined || kafka === undefined).each(APPLICATIONS)(
  '%s from tarballs in an empty folder',
  (_name, example, ours, others) => {
    it('tells its story in process, on RabbitMQ, and with its notifications on Kafka', async () => {
      const folder = await install(example, ours, others)
      try {
        const expected = await readFile(path.join(examples, example, 'expected.txt'), 'utf8')
        const story = async (words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
          const options = { cwd: folder, env: { ...process.env, ...env }, timeout: 60_000 }
          return (await execute(process.execPath, ['dist/main.js', ...words], options)).stdout
        }
        const url = { OS_DEFAULT__TRANSPORT_URL: await rabbit!.vhost() }
        const notifications = { OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: kafka!.url }
        expect(await story([], {}), 'memory').toBe(expected)
        expect(await story(['--on-brokers'], url), 'rabbit').toBe(expected)
        expect(await story(['--on-brokers'], { ...url, ...notifications }), 'kafka').toBe(expected)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  },
)
