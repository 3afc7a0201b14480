import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines } from './support/memory.ts'

async function driver(...argv: readonly string[]) {
  let [out, err] = ['', '']
  const code = await run(['driver', ...argv], { out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

describe('oslo-msg driver new', () => {
  it('writes the package and says what comes next', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'cli-driver-')), 'mine')
    const { code, out, err } = await driver('new', 'mqtt', folder)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('src/driver.ts\n')
    expect(out).toMatch(/\ncd \S+\/mine\nnpm install\nnpm test\n$/)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly name: string }
    expect(manifest.name).toBe('oslo-messaging-driver-mqtt')
  })

  it('--json - the folder and its files, all of which are there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-driver-'))
    const { out } = await driver('new', 'mqtt', folder, '--json')
    const [line] = jsonLines(out) as { readonly folder: string; readonly files: readonly string[] }[]
    expect(line?.folder).toBe(folder)
    expect(line?.files).toContain('package.json')
    expect(line?.files.filter((file) => !existsSync(join(folder, file)))).toEqual([])
  })

  it('a folder that is not empty, a name that is no scheme, no name - one line, and nothing is written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-driver-'))
    writeFileSync(join(folder, 'mine.txt'), 'kept')
    expect(await driver('new', 'mqtt', folder)).toMatchObject({ code: 1, err: `oslo-msg: ${folder} is not empty\n` })
    expect(existsSync(join(folder, 'package.json'))).toBe(false)
    const wrong = await driver('new', 'My-Queue', join(folder, 'other'))
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('A driver is named like the scheme of its URLs')
    expect(existsSync(join(folder, 'other'))).toBe(false)
    expect(await driver('new')).toMatchObject({ code: 2 })
    expect(await driver()).toMatchObject({ code: 2, out: '' })
  })
})
