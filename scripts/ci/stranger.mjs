import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

/** What rolling modules into few files must not change (ADR 20): one class behind all doors, the names of classes, the
 *  lines of the sources in stacks, and two copies of the library that work together. */
const ROLLED = `
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as core from '@oslo-messaging/core'
import * as driver from '@oslo-messaging/core/driver'
import { createMemoryDriver } from '@oslo-messaging/core/testing'
import * as other from './copy/node_modules/@oslo-messaging/core/dist/index.js'

const shared = Object.keys(driver).filter((name) => name in core)
for (const name of shared) assert.equal(driver[name], core[name], name + ' is there twice')
const classes = Object.entries(core).filter(([, value]) => /^class /.test(String(value)))
for (const [name, value] of classes) assert.equal(value.name, name)

const scope = 'node_modules/@oslo-messaging/'
for (const name of ['core', 'rabbit', 'amqp', 'kafka', 'openstack', '../oslo-messaging-driver-nats', '../oslo-messaging-driver-redis']) {
  const files = readdirSync(scope + name + '/dist', { recursive: true }).filter((file) => file.endsWith('.js'))
  assert.ok(files.length <= 10, name + ' has ' + files.length + ' files')
}

const failure = await core.getRpcTransport({ url: 'memory://h:99999/' }).catch((error) => error)
assert.match(failure.stack, /at checkAddresses .*src\\/transport\\/open-transport\\.ts:\\d+/)

assert.notEqual(other.Target, core.Target)
const transport = await core.getRpcTransport({ url: 'memory://', registry: core.getDriverRegistry({ drivers: [createMemoryDriver()] }) })
const raise = () => { throw new other.ValueError('none') }
await core.getRpcServer(transport, new other.Target({ topic: 't', server: 's' }), { add: (_context, { a, b }) => a + b, raise }).start()
const client = other.getRpcClient(transport, new core.Target({ topic: 't' }))
assert.equal(await client.call({}, 'add', { a: 2, b: 3 }), 5)
await assert.rejects(client.call({}, 'raise'), core.ValueError)
await transport.close()
await assert.rejects(client.call({}, 'add'), (error) => core.isMessagingError(error, 'CLOSED') && error instanceof core.MessagingError)
console.log(shared.length + ' exports are the same behind two doors, ' + classes.length + ' classes keep their names, stacks lead to the sources, two copies meet')
`

/** Installs the packed packages into an empty folder with npm, as an application would, and uses them. */
export async function checkInstalled() {
  const app = mkdtempSync(join(tmpdir(), 'oslo-messaging-stranger-'))
  try {
    await install(app, await tarballs())
    tryCommand(app)
    const core = 'node_modules/@oslo-messaging/core'
    cpSync(join(app, core), join(app, 'copy', core), { recursive: true })
    writeFileSync(join(app, 'rolled.mjs'), ROLLED)
    await tool(process.execPath, ['--enable-source-maps', 'rolled.mjs'], { cwd: app })
    return await openDoors(app, publicPackages())
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
}

/** The command, by the link that npm makes for it: each of its commands has a help, and one of them asks nobody. */
function tryCommand(app) {
  const program = join(app, 'node_modules', '.bin', 'oslo-msg')
  const oslo = (...words) => execFileSync(program, words, { cwd: app, encoding: 'utf8' })
  oslo('--version')
  const commands = oslo('--help').matchAll(/^ {2}([a-z]+) {2,}/gm)
  let count = 0
  for (const [, name] of commands) {
    if (name === 'help') continue
    const help = oslo(name, '--help')
    if (!help.startsWith(`Usage: oslo-msg ${name}`)) throw new Error(`oslo-msg ${name} --help says: ${help}`)
    count += 1
  }
  if (count < 19) throw new Error(`oslo-msg --help names ${count} commands`)
  oslo('config', 'sample', 'oslo_messaging_rabbit')
}

/** Makes an application of an empty folder that has the tarballs installed, and packages of others. */
export async function install(app, tarballsByName, others = []) {
  writeFileSync(
    join(app, 'package.json'),
    '{ "name": "stranger", "version": "0.0.0", "type": "module", "private": true }',
  )
  writeFileSync(join(app, 'main.mjs'), PROGRAM)
  const words = ['install', '--no-audit', '--no-fund', ...tarballsByName.values(), ...others]
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
