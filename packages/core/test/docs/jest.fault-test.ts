import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { tarballs } from '../../../../scripts/ci/tarballs.mjs'

const execute = promisify(execFile)
const FROM_REGISTRY = ['jest@30.5.2', '@babel/preset-env@7', '@swc/core@1', '@swc/jest@0.2']

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'with-jest-'))
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const page = await readFile(join(import.meta.dirname, '../../../../docs/testing.md'), 'utf8')
  const files = [...page.matchAll(/```cjs\n\/\/ (\S+)\n(.*?)```/gs)]
  expect(files.map(([, name]) => name)).toEqual(['order.test.js', 'jest.config.js', 'babel.config.js', 'stock.test.js'])
  for (const [, name = '', text = ''] of files) await writeFile(join(folder, name), text)
  const core = String((await tarballs()).get('@oslo-messaging/core'))
  const words = ['install', '--no-audit', '--no-fund', '--prefer-offline', core, ...FROM_REGISTRY]
  await execute('npm', words, { cwd: folder, maxBuffer: 1e8 })
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What Jest prints about the test file, and how it ended. */
async function jest(words: readonly string[], options = ''): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: options }
  const run = execute(process.execPath, ['node_modules/jest/bin/jest.js', ...words], { cwd: folder, env })
  return await run.then(
    ({ stderr }) => stderr,
    (error: { stderr: string }) => error.stderr,
  )
}

const UNCOMPILED = JSON.stringify({ transform: {} })

it('Jest 30 in CommonJS - a test imports the library with the flag of Node, and nothing is compiled', async () => {
  expect(await jest(['--config', UNCOMPILED, 'order.test.js'], '--experimental-vm-modules')).toMatch(
    /1 passed, 1 total/,
  )
})

it('Jest 30 in CommonJS - a test requires the library, which Babel compiles', async () => {
  expect(await jest(['stock.test.js'])).toMatch(/1 passed, 1 total/)
})

it('Jest 30 in CommonJS - a test requires the library, which swc compiles', async () => {
  const { transformIgnorePatterns } = (await import(join(folder, 'jest.config.js'))) as {
    transformIgnorePatterns: readonly string[]
  }
  const transform = { '\\.js$': ['@swc/jest', { module: { type: 'commonjs' } }] }
  const config = JSON.stringify({ transform, transformIgnorePatterns })
  expect(await jest(['--config', config, 'stock.test.js'])).toMatch(/1 passed, 1 total/)
})
