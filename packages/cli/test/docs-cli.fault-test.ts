import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcTransport, loadConfig, type Transport } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryServer } from './support/memory.ts'
import { osloMsg } from './support/program.ts'

const PAGE = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url))
const rabbit = await skipOrFail(sharedBroker('rabbit'))

interface Transcript {
  readonly command: string
  readonly expected: string
}

/** Every command of the page's console blocks with what it printed. */
const transcripts: readonly Transcript[] = [
  ...readFileSync(PAGE, 'utf8').matchAll(/^```console\n([^]*?)^```$/gm),
].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.split('\n')
      return { command, expected: lines.join('\n') }
    }),
)

/** Without what differs from run to run: numbers, and how far they stand to the right. */
const alike = (text: string): string =>
  text
    .replaceAll(/\d+(\.\d+)?/g, '#')
    // Quick and slow runs print other units.
    .replaceAll(/# (?:ms|s)\b/g, '# of time')
    .replaceAll(/ +/g, ' ')
    .trim()

/** The deployment that the page shows, as a file. */
const CLOUD = join(mkdtempSync(join(tmpdir(), 'docs-cli-')), 'cloud.yaml')
writeFileSync(CLOUD, /^```yaml\n([^]*?)^```$/m.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '')

/** The words of a command line; quotes hold together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

describe.skipIf(rabbit === undefined)('docs/cli.md', () => {
  if (rabbit === undefined) return
  let url = ''
  let transport: Transport

  beforeAll(async () => {
    url = await rabbit.vhost()
    const registry = createDriverRegistry({ drivers: [rabbitDriver] })
    transport = await getRpcTransport(await loadConfig(), { url, registry })
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
  })

  afterAll(async () => void (await transport.close()))

  it('has transcripts', () => {
    expect(transcripts.length).toBeGreaterThan(10)
  })

  it.each(transcripts)('$command', async ({ command, expected }) => {
    const [program, ...words] = wordsOf(command).map((word) => (word === 'cloud.yaml' ? CLOUD : word))
    expect(program).toBe('oslo-msg')
    const { code, stdout, stderr } = await osloMsg(url, ...words)
    expect(alike(`${stdout}${stderr}${code === 0 ? '' : `[exit code ${code}]\n`}`)).toBe(alike(expected))
  })
})
