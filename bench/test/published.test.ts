import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('a folder that has something in it - is refused and left as it is, rather than deleted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'published-'))
  const file = join(folder, 'thesis.txt')
  writeFileSync(file, 'three years of work')
  const script = fileURLToPath(new URL('../../scripts/publish-folder.mjs', import.meta.url))
  const cwd = fileURLToPath(new URL('../../packages/nats/', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { cwd, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: `${folder} is not empty, and what is in it would be deleted: name a folder that is not there yet\n`,
  })
  expect(existsSync(file)).toBe(true)
})
