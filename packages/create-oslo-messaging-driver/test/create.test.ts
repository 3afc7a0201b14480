import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createDriver } from '../src/index.ts'

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'create-driver-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

it('writes a package whose files and names are those of the driver', async () => {
  const files = await createDriver('carrier', await emptyFolder())
  expect(files).toEqual([
    '.github/workflows/ci.yml',
    '.gitignore',
    'README.md',
    'package.json',
    'src/client/stand-in.ts',
    'src/driver.ts',
    'src/index.ts',
    'test/broker.sh',
    'test/conformance.test.ts',
    'tsconfig.json',
  ])
})

it.each(['', 'MQTT', '../up', 'a-b', 'a b', '1a'])('%j is no name for a driver', async (name) => {
  await expect(createDriver(name, await emptyFolder())).rejects.toThrow('named like the scheme of its URLs')
})

it('a folder with something in it is left alone', async () => {
  const folder = await emptyFolder()
  await writeFile(path.join(folder, 'mine.txt'), 'precious')
  await expect(createDriver('carrier', folder)).rejects.toThrow('is not empty')
})
