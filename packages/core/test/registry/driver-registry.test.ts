import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NO_CAPABILITIES } from '../../src/driver/capabilities.ts'
import type { DriverDefinition } from '../../src/driver/driver.ts'
import { DriverLoadFailure } from '../../src/errors.ts'
import { createDriverRegistry } from '../../src/registry/driver-registry.ts'

const driver = (name: string, ...schemes: string[]): DriverDefinition => ({
  name,
  schemes,
  capabilities: NO_CAPABILITIES,
  open: () => Promise.reject(new Error('not needed here')),
})

let folder: string
const source = (scheme: string, form = 'export const driver') =>
  `${form} = { name: '${scheme}', schemes: ['${scheme}'], capabilities: {}, open() {} }`

const install = async (name: string, files: Record<string, string>, root = folder) => {
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, 'node_modules', name, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driver-registry-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const registry = () => createDriverRegistry({ discover: true, searchFrom: [join(folder, 'app', 'src')] })

const failure = async (promise: Promise<unknown>): Promise<DriverLoadFailure> => {
  const error: unknown = await promise.then(
    () => new Error('a driver was found'),
    (reason: unknown) => reason,
  )
  if (error instanceof DriverLoadFailure) return error
  throw error
}

describe('drivers by value', () => {
  it('T2 driver name - is the part before the plus sign', async () => {
    const rabbit = driver('rabbit', 'rabbit', 'kombu')
    const registry = createDriverRegistry({ drivers: [rabbit, driver('kafka', 'kafka')] })
    expect(await registry.resolve('rabbit')).toBe(rabbit)
    expect(await registry.resolve('kombu+memory')).toBe(rabbit)
    expect(registry.schemes).toEqual(['rabbit', 'kombu', 'kafka'])
  })

  it.each([
    ['nats', 'npm install oslo-messaging-driver-nats', 'Known: rabbit, kafka'],
    ['kombu', 'npm install @oslo-messaging/rabbit', 'Known: rabbit, kafka'],
    ['amqp', 'Add one: npm install @oslo-messaging/amqp', 'Known: rabbit, kafka'],
    ['rabit', 'Did you mean rabbit?', 'npm install oslo-messaging-driver-rabit'],
  ])('T2 unknown scheme - %s names the package to add and the known schemes', async (scheme, remedy, known) => {
    const registry = createDriverRegistry({ drivers: [driver('rabbit', 'rabbit'), driver('kafka', 'kafka')] })
    const error = await failure(registry.resolve(`${scheme}+x`))
    expect(error).toMatchObject({ code: 'OSLO_MESSAGING_DRIVER_LOAD', driver: scheme, retryable: false })
    expect(error.message).toContain(remedy)
    expect(error.message).toContain(known)
    expect(error.message).toContain('createDriverRegistry')
  })

  it.each(['', '../evil', 'a/b', 'a.b', 'A', '1a', 'a-b', '+x'])('T2 scheme - %j is refused', async (scheme) => {
    expect((await failure(registry().resolve(scheme))).message).toContain('cannot name a driver')
  })

  it('refuses two drivers for one scheme and values that are no drivers', () => {
    expect(() => createDriverRegistry({ drivers: [driver('a', 'x'), driver('b', 'x')] })).toThrow(/a and b both serve/)
    expect(() => createDriverRegistry({ drivers: [{} as DriverDefinition] })).toThrow(TypeError)
  })
})

describe('discovery', () => {
  it('D1 finds an ESM package with import conditions above the application', async () => {
    await install('oslo-messaging-driver-esm', {
      'package.json': JSON.stringify({
        type: 'module',
        exports: { '.': { types: './no.d.ts', browser: './no.js', import: { node: './dist/main.js' } } },
      }),
      'dist/main.js': `export const other = 1\n${source('esm')}`,
    })
    expect(await registry().resolve('esm+tls')).toMatchObject({ name: 'esm', schemes: ['esm'] })
  })

  it('D1 finds a CommonJS package, a default export, and a plain exports string', async () => {
    await install('oslo-messaging-driver-cjs', {
      'package.json': JSON.stringify({ main: 'lib.js' }),
      'lib.js': source('cjs', 'exports.driver'),
    })
    await install('oslo-messaging-driver-main', {
      'package.json': JSON.stringify({ type: 'module', exports: './main.js' }),
      'main.js': source('main', 'const driver') + '\nexport default driver',
    })
    await install('oslo-messaging-driver-bare', { 'package.json': '{}', 'index.js': source('bare', 'module.exports') })
    for (const scheme of ['cjs', 'main', 'bare']) {
      expect(await registry().resolve(scheme)).toMatchObject({ name: scheme })
    }
  })

  it('D1 prefers the package of this project, and a driver given by value to both', async () => {
    for (const [name, shown] of [
      ['@oslo-messaging/two', 'ours'],
      ['oslo-messaging-driver-two', 'theirs'],
    ] as const) {
      await install(name, {
        'package.json': '{"type":"module","exports":"./i.js"}',
        'i.js': `export const d = { name: '${shown}', schemes: ['two'], capabilities: {}, open() {} }`,
      })
    }
    expect(await registry().resolve('two')).toMatchObject({ name: 'ours' })
    const given = driver('given', 'two')
    const both = createDriverRegistry({ drivers: [given], discover: true, searchFrom: [folder] })
    expect(await both.resolve('two')).toBe(given)
  })

  it('D1 kombu is served by the rabbit package', async () => {
    await install('@oslo-messaging/rabbit', {
      'package.json': '{"type":"module","exports":"./i.js"}',
      'i.js': `export const rabbitDriver = { name: 'rabbit', schemes: ['rabbit', 'kombu'], capabilities: {}, open() {} }`,
    })
    expect(await registry().resolve('kombu+memory')).toMatchObject({ name: 'rabbit' })
  })

  it('D1 looks beside the program behind a symbolic link, and in the second folder when the first has none', async () => {
    const real = join(folder, 'elsewhere', 'tool')
    await install(
      'oslo-messaging-driver-linked',
      { 'package.json': '{}', 'index.js': source('linked', 'module.exports') },
      real,
    )
    await writeFile(join(real, 'bin.js'), '')
    const link = join(folder, 'linked-tool.js')
    await symlink(join(real, 'bin.js'), link)
    const linked = createDriverRegistry({ discover: true, searchFrom: [join(folder, 'no', 'such'), link] })
    expect(await linked.resolve('linked')).toMatchObject({ name: 'linked' })
  })

  it('D1 a driver package finds itself, so that its own examples and tests need no installation', async () => {
    const own = join(folder, 'own-driver')
    await mkdir(join(own, 'examples'), { recursive: true })
    await writeFile(join(own, 'package.json'), JSON.stringify({ name: 'oslo-messaging-driver-own', main: 'index.js' }))
    await writeFile(join(own, 'index.js'), source('own', 'module.exports'))
    const inside = createDriverRegistry({ discover: true, searchFrom: [join(own, 'examples', 'demo.js')] })
    expect(await inside.resolve('own')).toMatchObject({ name: 'own' })
    await failure(createDriverRegistry({ discover: true, searchFrom: [folder] }).resolve('own'))
  })

  it('D1 not installed - says what to install', async () => {
    const error = await failure(registry().resolve('absent'))
    expect(error.message).toContain('npm install oslo-messaging-driver-absent')
    expect(error.message).not.toContain('createDriverRegistry')
  })

  it('D1 discovery is off unless asked for', async () => {
    await install('oslo-messaging-driver-off', { 'package.json': '{}', 'index.js': source('off', 'module.exports') })
    await failure(createDriverRegistry({ searchFrom: [folder] }).resolve('off'))
    expect(await registry().resolve('off')).toMatchObject({ name: 'off' })
  })

  describe('D1 a driver that is installed and broken is refused with package, version and remedy', () => {
    const api = (version: number): string =>
      `export const d = { name: 'd', api: ${version}, schemes: ['SCHEME'], capabilities: {}, open() {} }`
    const cases: readonly (readonly [scheme: string, text: string, message: string, remedy: string])[] = [
      ['throws', `throw new Error('no luck')`, 'cannot be loaded: no luck', 'tell its author'],
      ['nothing', 'export const x = 1', 'exports no driver for the scheme nothing', 'a value with name, schemes'],
      ['other', source('another'), '(only for another)', 'Use another release'],
      [
        'unfinished',
        `export default { name: 'd', schemes: ['unfinished'] }`,
        'default lacks capabilities, open',
        'tell its author',
      ],
      ['newer', api(99), 'version 99 of the driver contract, and this core serves version 1', 'core@latest'],
      ['older', api(0), 'version 0 of the driver contract, and this core serves version 1', 'a newer release'],
      ['library', `import 'no-such-library'\n${source('library')}`, 'not installed', 'npm install no-such-library'],
      [
        'scoped',
        `import '@no-such/library/sub.js'\n${source('scoped')}`,
        'not installed',
        'npm install @no-such/library',
      ],
      ['file', `import './absent.js'\n${source('file')}`, 'cannot be loaded', 'file@latest'],
      ['peer', `import '@oslo-messaging/core/driver'\n${source('peer')}`, 'peer', 'npm install @oslo-messaging/core'],
      [
        'twice',
        `${source('twice')}\nexport const again = { ...driver, name: 'again' }`,
        'exports 2 drivers for the scheme twice',
        'getDriverRegistry({ drivers: [...] })',
      ],
    ]
    it.each(cases)('%s', async (scheme, text, message, remedy) => {
      const name = `oslo-messaging-driver-${scheme}`
      await install(name, {
        'package.json': '{"type":"module","exports":"./i.js","version":"0.3.7"}',
        'i.js': text.replace('SCHEME', scheme),
      })
      const error = await failure(registry().resolve(scheme))
      expect(error.message).toContain(`${name} 0.3.7 (${join(folder, 'node_modules', name)})`)
      expect(error.message).toContain(message)
      expect(error.message).toContain(remedy)
    })
  })

  it('D1 a driver that needs a newer core says so', async () => {
    const old = join(folder, 'old')
    await install(
      '@oslo-messaging/core',
      { 'package.json': '{"type":"module","exports":{"./driver":"./driver.js"}}', 'driver.js': 'export const x = 1' },
      old,
    )
    await install(
      'oslo-messaging-driver-ahead',
      {
        'package.json': '{"type":"module","exports":"./i.js","version":"2.0.0"}',
        'i.js': `import { whatIsNew } from '@oslo-messaging/core/driver'\n${source('ahead')}`,
      },
      old,
    )
    const searching = createDriverRegistry({ discover: true, searchFrom: [join(old, 'app')] })
    const error = await failure(searching.resolve('ahead'))
    expect(error.message).toContain('oslo-messaging-driver-ahead 2.0.0')
    expect(error.message).toContain('made for a newer core: npm install @oslo-messaging/core@latest')
  })

  it('D1 a missing client library is an error that keeps its cause', async () => {
    await install('oslo-messaging-driver-broken', {
      'package.json': '{"type":"module","exports":"./i.js"}',
      'i.js': `import 'no-such-client-library'\n${source('broken')}`,
    })
    const error = await failure(registry().resolve('broken'))
    expect(error.cause).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' })
  })

  it('D1 a broken package.json is an error that keeps its cause', async () => {
    await install('oslo-messaging-driver-torn', { 'package.json': '{"exports":' })
    const error = await failure(registry().resolve('torn'))
    expect(error.message).toContain('package.json of oslo-messaging-driver-torn')
    expect(error.cause).toBeInstanceOf(SyntaxError)
  })

  it('D1 a package without an entry for import is an error that says so', async () => {
    await install('oslo-messaging-driver-closed', { 'package.json': '{"exports":{"./sub":"./x.js"}}' })
    expect((await failure(registry().resolve('closed'))).message).toContain('no entry that can be imported')
  })

  describe('without searchFrom', () => {
    const [, main] = process.argv
    afterEach(() => {
      vi.restoreAllMocks()
      process.argv[1] = main ?? ''
    })

    /** A program in one folder, started from another one. */
    const startedFrom = (program: string, working: string): void => {
      process.argv[1] = program
      vi.spyOn(process, 'cwd').mockReturnValue(working)
    }

    it('D1 runs nothing of the working directory, and finds what is installed beside the program', async () => {
      const app = join(folder, 'secure', 'app')
      const working = join(folder, 'somebody', 'else')
      const entry = (shown: string) => ({
        'package.json': '{"type":"module","exports":"./i.js"}',
        'i.js': `export const d = { name: '${shown}', schemes: ['where'], capabilities: {}, open() {} }`,
      })
      await install('oslo-messaging-driver-where', entry('of the working directory'), working)
      await mkdir(app, { recursive: true })
      startedFrom(join(app, 'main.js'), working)
      const discovering = createDriverRegistry({ discover: true })
      const error = await failure(discovering.resolve('where'))
      expect(error.message).toContain(join(app, 'main.js'))
      await install('oslo-messaging-driver-where', entry('of the program'), app)
      expect(await discovering.resolve('where')).toMatchObject({ name: 'of the program' })
      const optedIn = createDriverRegistry({ discover: true, searchFrom: [working] })
      expect(await optedIn.resolve('where')).toMatchObject({ name: 'of the working directory' })
    })

    it('D1 an argument of `node -e` is no folder to search from', async () => {
      await install('oslo-messaging-driver-argued', {
        'package.json': '{}',
        'index.js': source('argued', 'module.exports'),
      })
      startedFrom(relative(process.cwd(), join(folder, 'app.js')), folder)
      await failure(createDriverRegistry({ discover: true }).resolve('argued'))
    })
  })
})
