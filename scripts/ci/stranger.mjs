import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tarballs } from './tarballs.mjs'
import { publicPackages, tool } from './tools.mjs'

/** What a stranger does on the first day: every door by its name, and a driver found by the scheme of a URL alone. */
const PROGRAM = `
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { getRpcTransport, loadConfig } from '@oslo-messaging/core'

const doors = JSON.parse(process.argv[2])
const require = createRequire(import.meta.url)
for (const door of doors) {
  const names = Object.keys(await import(door))
  assert.ok(names.length > 0, door + ' exports nothing')
  assert.ok(Object.keys(require(door)).length > 0, door + ' cannot be required')
}
for (const scheme of ['rabbit', 'amqp', 'nats', 'redis']) {
  const transport = await getRpcTransport(await loadConfig(), { url: scheme + '://user:secret@127.0.0.1:1/' })
  assert.equal(transport.health().status, 'idle')
  await transport.close()
}
console.log(process.version + ': ' + doors.length + ' doors open, and rabbit, amqp, nats and redis find their drivers by the scheme')
`

/** Installs the packed packages into an empty folder with npm, as an application would, and uses them. */
export async function checkInstalled() {
  const app = mkdtempSync(join(tmpdir(), 'oslo-messaging-stranger-'))
  try {
    await install(app, await tarballs())
    // The command, by the link that npm makes for it.
    await tool(join(app, 'node_modules', '.bin', 'oslo-msg'), ['--version'], { cwd: app })
    return await openDoors(app, publicPackages())
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
}

/** Makes an application of an empty folder that has the tarballs installed. */
export async function install(app, tarballsByName) {
  writeFileSync(
    join(app, 'package.json'),
    '{ "name": "stranger", "version": "0.0.0", "type": "module", "private": true }',
  )
  writeFileSync(join(app, 'main.mjs'), PROGRAM)
  const words = ['install', '--no-audit', '--no-fund', ...tarballsByName.values()]
  await tool('npm', words, { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Opens every door of the packages from the application, with this Node or another. */
export async function openDoors(app, packages, node = process.execPath) {
  const doors = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports)
      .filter((door) => !/\.(json|md|yaml)$/.test(door))
      .map((door) => join(manifest.name, door)),
  )
  return await tool(node, ['main.mjs', JSON.stringify(doors)], { cwd: app })
}
