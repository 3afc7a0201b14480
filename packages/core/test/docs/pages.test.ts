import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transpileModule, ModuleKind, ScriptTarget } from 'typescript'
import { expect, it, onTestFinished } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/testing.md'), 'utf8')
const compiled = (text: string): string =>
  transpileModule(text, { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 } }).outputText

/** Where programs find the packages by their names: beside this file, or, in CI, where tarballs were installed. */
const beside = process.env['OSLO_MESSAGING_INSTALLED'] ?? import.meta.dirname
function folderOf(name: string): string {
  const folder = mkdtempSync(join(beside, `.${name}-`))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const files = ['stock.test.ts', 'audit.test.mjs']

it.each(files)('docs/testing.md shows %s as it runs here', (file) => {
  expect(page).toContain(readFileSync(join(import.meta.dirname, file), 'utf8').trim())
})

it('the example for node:test passes', async () => {
  const file = join(folderOf('audit'), 'audit.test.mjs')
  copyFileSync(join(import.meta.dirname, 'audit.test.mjs'), file)
  const run = promisify(execFile)(process.execPath, ['--test', file])
  expect((await run).stdout).toMatch(/pass 1/)
})

it('the examples of docs/rpc.md print what their comments say', async () => {
  const rpc = readFileSync(join(import.meta.dirname, '../../../../docs/rpc.md'), 'utf8')
  const blocks = [...rpc.matchAll(/```ts\n(.*?)```/gs)].map(([, text = '']) => compiled(text))
  const folder = folderOf('rpc')
  const printed: string[] = []
  for (const [index, text] of blocks.entries()) {
    const file = join(folder, `${index}.mjs`)
    writeFileSync(file, text)
    printed.push((await promisify(execFile)(process.execPath, [file])).stdout)
  }
  expect(printed[0]).toContain(`name: 'build'`)
  expect(printed[1]).toContain('me null')
  expect(printed[2]).toContain('i-1 true')
})
