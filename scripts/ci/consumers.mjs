import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tarballs } from './tarballs.mjs'
import { tool } from './tools.mjs'

/** Compilers an application may have: the oldest that is supported, the last written in JavaScript that most have, the newest. */
const COMPILERS = ['5.4.5', '5.9.3', '7.0.2']
const BUNDLER = 'esbuild@0.28.2'

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

/** Installs the packed core into an empty folder with npm, as applications do that compile to ES modules, to CommonJS, or into one file. */
export async function checkConsumers() {
  const folder = mkdtempSync(join(tmpdir(), 'oslo-messaging-consumers-'))
  try {
    const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }
    const tarball = (await tarballs()).get('@oslo-messaging/core')
    write(folder, 'package.json', '{ "private": true }')
    const compilers = COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`)
    const packages = [tarball, ...compilers, BUNDLER, '@types/node@20']
    await tool('npm', ['install', '--no-audit', '--no-fund', ...packages], quiet)
    write(folder, 'service.mts', `import { ${NAMES} } from '@oslo-messaging/core'\n${SERVICE}`)
    // TypeScript's own spelling of require, which every mode of CommonJS takes.
    write(folder, 'service.cts', `import core = require('@oslo-messaging/core')\nconst { ${NAMES} } = core\n${SERVICE}`)
    write(
      folder,
      'doors.mts',
      `import '@oslo-messaging/core/driver'\nimport '@oslo-messaging/core/probes'\nimport '@oslo-messaging/core/testing'\n`,
    )
    let count = 0
    for (const version of COMPILERS) {
      for (const [module, exactOptionalPropertyTypes] of [
        ['node16', true],
        ['nodenext', false],
      ]) {
        write(folder, 'tsconfig.json', JSON.stringify(settings({ exactOptionalPropertyTypes, module })))
        console.log(`TypeScript ${version}, ${module}, exactOptionalPropertyTypes ${exactOptionalPropertyTypes}`)
        const compiler = join(folder, 'node_modules', `typescript-${version}`, 'bin', 'tsc')
        await tool(process.execPath, [compiler, '-p', folder], { cwd: folder })
        count += 1
      }
    }
    for (const file of ['service.mjs', 'service.cjs']) await prints(folder, join('out', file))
    for (const [format, ending] of [
      ['esm', 'mjs'],
      ['cjs', 'cjs'],
    ]) {
      const to = join('bundle', `service.${ending}`)
      const bundler = join(folder, 'node_modules', '.bin', 'esbuild')
      const options = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${to}`, '--log-level=error']
      await tool(bundler, ['service.mts', ...options], quiet)
      // Alone in a folder, so that nothing but the bundle can be found.
      const alone = mkdtempSync(join(tmpdir(), 'oslo-messaging-bundle-'))
      write(alone, `service.${ending}`, readFileSync(join(folder, to), 'utf8'))
      await prints(alone, `service.${ending}`)
      rmSync(alone, { recursive: true, force: true })
    }
    return { passed: count + 4, failed: 0 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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
