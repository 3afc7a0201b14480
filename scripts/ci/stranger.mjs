import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
console.log(doors.length + ' doors open, and rabbit, amqp, nats and redis find their drivers by the scheme')
`

/** Installs the packed packages into an empty folder with npm, as an application would, and uses them. */
export async function checkInstalled() {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-stranger-'))
  try {
    const app = join(folder, 'app')
    mkdirSync(app)
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
    writeFileSync(join(app, 'package.json'), '{ "type": "module", "private": true }')
    const files = (await tarballs()).values()
    await tool('npm', ['install', '--no-audit', '--no-fund', ...files], { ...quiet, cwd: app })
    writeFileSync(join(app, 'main.mjs'), PROGRAM)
    const doors = publicPackages().flatMap(({ manifest }) =>
      Object.keys(manifest.exports)
        .filter((door) => !/\.(json|md)$/.test(door))
        .map((door) => join(manifest.name, door)),
    )
    // The command, by the link that npm makes for it.
    await tool(join(app, 'node_modules', '.bin', 'oslo-msg'), ['--version'], { cwd: app })
    return await tool(process.execPath, ['main.mjs', JSON.stringify(doors)], { cwd: app })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
