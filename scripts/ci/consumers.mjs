import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { tarballs } from './tarballs.mjs'
import { ExpectedError } from '../door/processes.mjs'
import { filesBelow, root, tool } from './tools.mjs'

/** Compilers an application may have: the oldest that is supported, the last written in JavaScript that most have, the
 *  newest. */
const COMPILERS = ['5.4.5', '5.9.3', '7.0.2']
const BUNDLER = 'esbuild@0.28.2'
/** Most bytes of a program that has nothing but a client of RPC. */
const SMALL_CLIENT = 40_000

/** Written from the README, with no annotation in a handler. */
const SERVICE = `
interface Compute {
  build(args: { name: string; at: Date }): { id: number; created: Date }
  reboot(args: { id: number }): void
}
interface Context {
  readonly request_id: string
}
async function main(): Promise<void> {
  const timeoutMs: number | undefined = undefined
  const transport = await getRpcTransport({ url: 'memory://', logger: undefined })
  const server = getRpcServer<Compute, Context>(
    transport,
    { topic: 'compute', server: 'node1' },
    {
      build: (context, { name, at }) => ({ id: context.request_id.length + name.length + at.length, created: new Date(0) }),
      reboot: () => {},
    },
    { exposes: { build: true, reboot: true } },
  )
  await server.start({ timeoutMs })
  const client = getRpcClient<Compute, Context>(transport, { topic: 'compute' })
  const built = await client.call({ request_id: 'r' }, 'build', { name: 'a', at: new Date(0) }, { timeoutMs })
  const created: string = built.created
  const nothing: null = await client.call({ request_id: 'r' }, 'reboot', { id: 1 })
  const conf = await loadConfig({ overrides: { oslo_messaging_notifications: { driver: ['messagingv2'] } } })
  const bus = await getNotificationTransport(conf, { url: 'memory://' })
  const listener = getNotificationListener(bus, [new Target({ topic: 'notifications' })], [
    { info: (_context, _publisher, event) => console.log(event, created, nothing, server.methods.length) },
  ])
  await listener.start()
  await new Notifier(bus, { publisherId: 'compute.node1' }).info(null, 'built', built)
  await bus.close()
  await transport.close()
}
void main()
`
const NAMES =
  'getNotificationListener, getNotificationTransport, getRpcClient, getRpcServer, getRpcTransport, loadConfig, Notifier, Target'
const PRINTS = 'built 1970-01-01T00:00:00.000000 null 2'

/** What type tests take from vitest; only their types are looked at. */
const VITEST = `
export { expectTypeOf } from 'expect-type'
export const describe = (_name: string, _body: () => void): void => {}
export const it = describe
`

/** Compiles, against the packed core and with each compiler, what applications write: a service, to an ES module and to
 *  CommonJS, which then run; the code of README; and the type tests. Each time with `skipLibCheck: false`, with and
 *  without `exactOptionalPropertyTypes`. */
export async function checkCompilers() {
  return await inApplication([...COMPILERS.map(packageOf), '@types/node@20', 'expect-type@1.4.0'], async (folder) => {
    write(folder, 'service.mts', `import { ${NAMES} } from '@oslo-messaging/core'\n${SERVICE}`)
    // TypeScript's own spelling of require, which every mode of CommonJS takes.
    write(folder, 'service.cts', `import core = require('@oslo-messaging/core')\nconst { ${NAMES} } = core\n${SERVICE}`)
    const doors = ['driver', 'probes', 'testing'].map((door) => `import '@oslo-messaging/core/${door}'\n`)
    write(folder, 'doors.mts', doors.join(''))
    const written = [...writeReadme(folder), ...writeTypeTests(folder)]
    console.log(`each time: service.mts, service.cts, doors.mts, ${written.join(', ')}`)
    let passed = 0
    for (const version of COMPILERS)
      for (const module of ['node16', 'nodenext'])
        for (const exactOptionalPropertyTypes of [true, false]) {
          write(folder, 'tsconfig.json', JSON.stringify(settings({ exactOptionalPropertyTypes, module })))
          console.log(`TypeScript ${version}, ${module}, exactOptionalPropertyTypes ${exactOptionalPropertyTypes}`)
          const compiler = join(folder, 'node_modules', `typescript-${version}`, 'bin', 'tsc')
          await tool(process.execPath, [compiler, '-p', folder], { cwd: folder })
          passed += 1
        }
    for (const file of ['service.mjs', 'service.cjs']) await prints(folder, join('out', file))
    return { passed: passed + 2, failed: 0 }
  })
}

/** Bundles the service with the packed core into one file, which runs alone, and a client, which is small. */
export async function checkBundles() {
  return await inApplication([BUNDLER], async (folder) => {
    const bundler = join(folder, 'node_modules', '.bin', 'esbuild')
    const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }
    write(folder, 'service.mts', `import { ${NAMES} } from '@oslo-messaging/core'\n${SERVICE}`)
    for (const [format, ending] of [
      ['esm', 'mjs'],
      ['cjs', 'cjs'],
    ]) {
      // Into a folder of its own, so that nothing but the bundle can be found.
      const alone = mkdtempSync(join(tmpdir(), 'oslo-messaging-bundle-'))
      const to = join(alone, `service.${ending}`)
      const options = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${to}`, '--log-level=error']
      await tool(bundler, ['service.mts', ...options], quiet)
      await prints(alone, `service.${ending}`)
      rmSync(alone, { recursive: true, force: true })
    }
    write(folder, 'client.mjs', `import { getRpcClient } from '@oslo-messaging/core'\nconsole.log(getRpcClient)\n`)
    const options = [
      '--bundle',
      '--minify',
      '--platform=node',
      '--format=esm',
      '--outfile=small.mjs',
      '--log-level=error',
    ]
    await tool(bundler, ['client.mjs', ...options], quiet)
    const { size } = statSync(join(folder, 'small.mjs'))
    if (size > SMALL_CLIENT)
      throw new ExpectedError(`A client alone is a bundle of ${size} bytes, more than ${SMALL_CLIENT}`)
    console.log(`a client alone: ${size} bytes`)
    return { passed: 3, failed: 0 }
  })
}

/** An empty folder with the packed core and some packages, installed with npm. */
async function inApplication(packages, run) {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-consumers-'))
  try {
    write(folder, 'package.json', '{ "private": true }')
    const tarball = (await tarballs()).get('@oslo-messaging/core')
    const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }
    await tool('npm', ['install', '--no-audit', '--no-fund', tarball, ...packages], quiet)
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function packageOf(version) {
  return `typescript-${version}@npm:typescript@${version}`
}

/** Each block of README as a module. */
function writeReadme(folder) {
  const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)]
  return blocks.map(([, text], index) => write(folder, `readme-${index + 1}.mts`, `${text}\nexport {}\n`))
}

/** The type tests, with the doors of the package in place of the sources. */
function writeTypeTests(folder) {
  write(folder, 'vitest.mts', VITEST)
  const files = [...filesBelow('packages/core/test', ['.test-d.ts']), 'packages/core/test/config/widget.ts']
  return files.map((file) => {
    const text = readFileSync(join(root, file), 'utf8')
      .replace("from 'vitest'", "from './vitest.mjs'")
      .replace("from './widget.ts'", "from './widget.mjs'")
      .replaceAll(/from '[./]+\/src\/index\.ts'/g, "from '@oslo-messaging/core'")
      .replaceAll(/from '[./]+\/src\/driver\.ts'/g, "from '@oslo-messaging/core/driver'")
    return write(folder, basename(file).replace(/\.ts$/, '.mts'), text)
  })
}

async function prints(folder, file) {
  const check = `const { execFileSync } = require('node:child_process')
const text = execFileSync(process.execPath, [${JSON.stringify(file)}], { encoding: 'utf8' }).trim()
if (text !== ${JSON.stringify(PRINTS)}) throw new Error(${JSON.stringify(file)} + ' printed ' + text)
console.log(${JSON.stringify(file)} + ': ' + text)`
  return await tool(process.execPath, ['-e', check], { cwd: folder })
}

function write(folder, name, text) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), text)
  return name
}

/** As strict as it gets; the declarations of the library are checked, too. */
function settings({ exactOptionalPropertyTypes, module }) {
  return {
    compilerOptions: {
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable'],
      types: ['node'],
      module,
      outDir: 'out',
      allowImportingTsExtensions: false,
    },
    include: ['*.mts', '*.cts'],
  }
}
