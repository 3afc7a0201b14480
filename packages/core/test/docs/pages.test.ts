import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/testing.md'), 'utf8')
const files = ['stock.test.ts', 'audit.test.mjs']

it.each(files)('docs/testing.md shows %s as it runs here', (file) => {
  expect(page).toContain(readFileSync(join(import.meta.dirname, file), 'utf8').trim())
})

it('the example for node:test passes', async () => {
  const run = promisify(execFile)(process.execPath, ['--test', join(import.meta.dirname, 'audit.test.mjs')])
  expect((await run).stdout).toMatch(/pass 1/)
})
