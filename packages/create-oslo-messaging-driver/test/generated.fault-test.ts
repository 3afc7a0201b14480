import { execFile, type ExecFileOptions } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { createDriver } from '../src/index.ts'

const execute = promisify(execFile)
/** Runs a program, which is killed after a minute: without that a hang is told by the name of the test alone. */
const run = (program: string, args: readonly string[], options: ExecFileOptions = {}) =>
  execute(program, args, { timeout: 60_000, killSignal: 'SIGKILL', ...options, encoding: 'utf8' })
const root = fileURLToPath(new URL('../../..', import.meta.url))
/** In CI: a folder in which the packages were installed from tarballs. */
const installed = process.env['OSLO_MESSAGING_INSTALLED']
const packages =
  installed === undefined ? path.join(root, 'packages') : path.join(installed, 'node_modules/@oslo-messaging')

/** What `npm create oslo-messaging-driver carrier FOLDER` does. */
async function create(folder: string): Promise<void> {
  if (installed === undefined) await createDriver('carrier', folder)
  else await run(path.join(installed, 'node_modules/.bin/create-oslo-messaging-driver'), ['carrier', folder])
}

it('what is generated type-checks, lints and passes level 0 of the conformance suite at once', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'generated-driver-'))
  try {
    await create(folder)
    const modules = path.join(folder, 'node_modules')
    await mkdir(path.join(modules, '@oslo-messaging'), { recursive: true })
    for (const name of ['core', 'conformance'])
      await symlink(path.join(packages, name), path.join(modules, '@oslo-messaging', name))
    await symlink(path.join(root, 'node_modules/@types'), path.join(modules, '@types'))
    await run(path.join(root, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder })
    await run(path.join(root, 'node_modules/.bin/oxlint'), ['--deny-warnings', 'src', 'test'], { cwd: folder })
    const { stdout } = await run(process.execPath, ['--test', 'dist/test/'], { cwd: folder })
    expect(stdout).toMatch(/# fail 0/)
    expect(Number(/# pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(30)
  } finally {
    await rm(folder, { recursive: true })
  }
})
