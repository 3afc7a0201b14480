import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const GENERATOR = fileURLToPath(new URL('../../scripts/generate-performance.mjs', import.meta.url))

it('docs/performance.md is what the recorded results give (node scripts/generate-performance.mjs)', () => {
  const { status, stderr } = spawnSync(process.execPath, [GENERATOR, '--check'], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
