import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import {
  createDriverRegistry,
  getNotificationListener,
  getNotificationTransport,
  getNotifier,
  getRpcTransport,
  loadConfig,
} from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { memoryServer } from './support/memory.ts'

const PAGE = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8')
/** As it was built, or, in CI, as it was installed from its tarball. */
const INSTALLED = process.env['OSLO_MESSAGING_INSTALLED']
const PROGRAM =
  INSTALLED === undefined
    ? fileURLToPath(new URL('../dist/main.js', import.meta.url))
    : join(INSTALLED, 'node_modules/.bin/oslo-msg')
const COMMAND_TIMEOUT_MS = 60_000
const registry = createDriverRegistry({ drivers: [rabbitDriver] })
const rabbit = await skipOrFail(
  startBroker('rabbit', { plugins: ['rabbitmq_management'], config: { collect_statistics_interval: '200' } }),
)

interface Step {
  readonly command: string
  readonly expected: string
}

/** The page's console blocks: each is a session of one terminal, with commands and what was printed. */
const sessions: readonly (readonly Step[])[] = [...PAGE.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.split('\n')
      return { command, expected: lines.join('\n') }
    }),
)

/** Without what differs from run to run: numbers, names that are made, and how far things stand to the right. Programs
 *  that run at once print in either order. */
const alike = (text: string): readonly string[] =>
  text
    .replaceAll(/(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){1,3}(?:-[0-9a-f]{12})?/g, 'ID')
    .replaceAll(/_[0-9a-f]{32}/g, '_ID')
    .replaceAll(/\d+(\.\d+)?/g, '#')
    // Quick and slow runs print other units.
    .replaceAll(/# (?:ms|s)\b/g, '# of time')
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** The page's example files, in a folder of their own. */
function exampleFiles(): string {
  const folder = mkdtempSync(join(tmpdir(), 'docs-cli-'))
  const block = (language: string): string =>
    new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1] ?? ''
  const today = '[DEFAULT]\ntransport_url = rabbit://guest:guest@127.0.0.1/nova\n'
  const files = { 'cloud.yaml': block('yaml'), 'today.conf': today, 'tomorrow.conf': today + block('ini') }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** The words of a command line; quotes hold together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** What the page says there is: three servers of the topic fleet, and two dead letters of the topic billing. */
async function deployment(url: string): Promise<void> {
  const conf = await loadConfig()
  const transport = await getRpcTransport(conf, { url, registry })
  onTestFinished(async () => void (await transport.close()))
  for (const by of ['one', 'two', 'three']) {
    const build = (_: object, { name, size }: { readonly name: string; readonly size: number }): object => ({
      built: name,
      size,
      by,
    })
    const refuse = (): never => {
      throw new RangeError('no such flavour')
    }
    await memoryServer(transport, 'fleet', by, { build, refuse })
  }
  const bus = await getNotificationTransport(conf, { url, registry })
  let failed = 0
  const info = (): never => {
    failed += 1
    throw new RangeError('no such invoice')
  }
  const listener = getNotificationListener(bus, [{ topic: 'billing' }], [{ info }], {
    onFailure: { attempts: 1, then: 'dead-letter' },
  })
  await listener.start()
  const notifier = getNotifier(bus, { publisherId: 'p', driver: 'messagingv2', topics: ['billing'] })
  for (const n of [1, 2]) await notifier.info({}, 'invoice', { n })
  await expect.poll(() => failed, { timeout: 10_000 }).toBe(2)
  await listener.stop()
  await listener.wait()
  await bus.close()
}

describe.skipIf(rabbit === undefined)('docs/cli.md', () => {
  if (rabbit === undefined) return
  afterAll(async () => await rabbit[Symbol.asyncDispose]())

  /** Starts a command as a terminal would show it: both streams at once. The broker of the test has its management
   *  interface elsewhere than usual. */
  function start(url: string, cwd: string, command: string, print: (text: string) => void): ChildProcess {
    const [program = '', ...words] = wordsOf(command.replace(/ &$/, ''))
    const place = ['top', 'queues'].includes(words[0] ?? '') ? ['--management', rabbit?.managementUrl ?? ''] : []
    const argv = program === 'oslo-msg' ? [process.execPath, PROGRAM, ...words, ...place] : [program, ...words]
    const env = { PATH: process.env['PATH'], OS_DEFAULT__TRANSPORT_URL: url }
    const child = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', ...argv], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      // One that does not end is ended, so that what it had printed can be told.
      timeout: command.endsWith(' &') ? undefined : COMMAND_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.setEncoding('utf8').on('data', print)
    return child
  }

  it('has transcripts', () => {
    expect(sessions.flat().length).toBeGreaterThan(25)
  })

  it.each(sessions.map((steps) => ({ name: steps.map(({ command }) => command).join('; '), steps })))(
    '$name',
    async ({ steps }) => {
      const vhost = `docs-${sessions.indexOf(steps)}`
      const url = await rabbit.control.vhost(vhost)
      await deployment(url)
      const cwd = exampleFiles()
      let printed = ''
      const print = (text: string): void => void (printed += text)
      for (const { command, expected } of steps) {
        const wanted = alike(expected).toSorted()
        // What the broker counts comes some time after it has happened.
        const isLook = / (?:top|queues) /.test(`${command} `)
        let isStarted = false
        await expect
          .poll(
            async () => {
              if (!isStarted || isLook) {
                if (isLook) printed = ''
                isStarted = true
                const child = start(url, cwd, command, print)
                if (!command.endsWith(' &')) {
                  const [code] = (await once(child, 'close')) as [number]
                  if (code !== 0) print(`[exit code ${code}]\n`)
                }
              }
              return alike(printed).toSorted()
            },
            { message: command, timeout: 30_000, interval: 200 },
          )
          .toEqual(wanted)
        printed = ''
      }
    },
  )
})
