import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createDriverRegistry, type DriverDefinition, TransportDriverError } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../src/command.ts'
import { EXIT } from '../src/exit-code.ts'
import { run } from '../src/index.ts'

type AnyAdmin = Awaited<ReturnType<NonNullable<DriverDefinition['administer']>>>
type Asked = Parameters<NonNullable<AnyAdmin['redrive']>>[0]

/** What the driver does otherwise; undefined: it has no such operation. */
type Changes = { readonly [K in keyof AnyAdmin]?: AnyAdmin[K] | undefined }

interface Fake {
  readonly asked: unknown[]
  readonly closed: string[]
}

const QUEUES = [
  { name: 'b.pool', messages: 12, bytes: 1536, consumers: 0, orphan: true, why: 'a pool nobody listens to' },
  { name: 'a', messages: 0, bytes: null, consumers: 2, orphan: false, why: null },
] as const

/** The program over a driver that only notes what it is asked. */
async function oslo(argv: readonly string[], admin: Changes | null = {}, env: Record<string, string> = {}) {
  const fake: Fake = { asked: [], closed: [] }
  const note = (request: Asked): object => {
    const { deadline, ...rest } = request
    return { ...rest, timeoutMs: deadline.timeoutMs }
  }
  const driver = {
    name: 'fake',
    schemes: ['fake'],
    capabilities: {} as DriverDefinition['capabilities'],
    open: () => {
      throw new Error('nobody needs a driver')
    },
    ...(admin === null
      ? {}
      : {
          administer: (url) => ({
            redrive: async (request: Asked) => {
              fake.asked.push(note(request))
              return { moved: 2, left: 1, skipped: [{ reason: 'it is odd', count: 1 }] }
            },
            queues: async () => QUEUES,
            ...(admin as Partial<AnyAdmin>),
            close: async () => void fake.closed.push(url.redacted),
          }),
        }),
  } satisfies DriverDefinition
  let [out, err] = ['', '']
  const code = await run(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: { OS_DEFAULT__TRANSPORT_URL: 'fake://user:configured-secret@host/', ...env },
    registry: createDriverRegistry({ drivers: [driver] }),
  })
  return { code, out, err, asked: fake.asked, closed: fake.closed }
}

describe('oslo-msg', () => {
  it.each([
    { argv: [], says: 'Which command?' },
    { argv: ['purge'], says: 'There is no command purge' },
    { argv: ['quues'], says: 'There is no command quues; did you mean queues?' },
    { argv: ['--json', 'queues'], says: 'The command comes first: oslo-msg COMMAND, then --json' },
    { argv: ['redrive'], says: "missing required argument 'name'" },
    { argv: ['redrive', ''], says: 'redrive needs the name of a queue, topic or address' },
    { argv: ['redrive', 'a', 'b', 'c'], says: 'too many arguments' },
    { argv: ['redrive', 'a', '--limit', '0'], says: '--limit must be a whole number above 0, not "0"' },
    { argv: ['redrive', 'a', '--limit', '1.5'], says: '--limit must be a whole number above 0, not "1.5"' },
    {
      argv: ['redrive', 'a', '--timeout', '1e9'],
      says: '--timeout must be seconds from above 0 to 2147483, not "1e9"',
    },
    { argv: ['redrive', 'a', '--timeout', '0'], says: '--timeout must be seconds from above 0 to 2147483, not "0"' },
    { argv: ['redrive', 'a', '--to', ''], says: '--to needs a name' },
    { argv: ['redrive', 'a', '--orphans'], says: "unknown option '--orphans'" },
    { argv: ['redrive', 'a', '--dryrun'], says: "unknown option '--dryrun' (Did you mean --dry-run?)" },
    { argv: ['queues', 'a'], says: 'too many arguments' },
    { argv: ['queues', '--fail'], says: '--fail says what orphans mean for the exit code: give --orphans as well' },
    {
      argv: ['queues', '--url', 'fake://', '--notifications'],
      says: '--url names the broker, --notifications takes it',
    },
  ])('wrong usage $argv - says so on one line, exit code 2, and asks no broker', async ({ argv, says }) => {
    const { code, out, err, asked } = await oslo(argv)
    expect({ code, out, asked }).toEqual({ code: 2, out: '', asked: [] })
    expect(err).toContain(`oslo-msg: ${says}`)
    expect(err).toMatch(/^[^\n]*\(oslo-msg( queues| redrive)? --help\)\n$/)
  })

  it.each([
    { argv: ['a'], request: {} },
    {
      argv: ['a', '--limit', '7', '--to', 'b', '--dry-run', '--timeout', '2.5'],
      request: { limit: 7, to: 'b', dryRun: true, timeoutMs: 2500 },
    },
  ])('redrive $argv - asks the driver for that', async ({ argv, request }) => {
    const { code, asked, closed, err } = await oslo(['redrive', ...argv])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(asked).toEqual([{ source: 'a', to: null, limit: null, dryRun: false, timeoutMs: 600_000, ...request }])
    expect(closed).toHaveLength(1)
  })

  it('redrive - says what became of the letters, in words or as JSON', async () => {
    expect((await oslo(['redrive', 'a'])).out).toBe('Moved 2 dead letters; 1 left\nSkipped 1: it is odd\n')
    expect((await oslo(['redrive', 'a', '--dry-run'])).out).toBe(
      'Would move 2 dead letters of 1\nSkipped 1: it is odd\n',
    )
    expect(JSON.parse((await oslo(['redrive', 'a', '--json'])).out)).toEqual({
      moved: 2,
      left: 1,
      skipped: [{ reason: 'it is odd', count: 1 }],
    })
  })

  it('queues - a table with bytes for people, JSON with numbers, sorted by name', async () => {
    expect((await oslo(['queues'])).out).toBe(
      [
        'QUEUE   MESSAGES    BYTES  CONSUMERS',
        'a              0        ?          2',
        'b.pool        12  1.5 KiB          0  orphan: a pool nobody listens to',
        '2 queues, 1 orphan with 1.5 KiB',
        '',
      ].join('\n'),
    )
    expect(linesOf((await oslo(['queues', '--json'])).out)).toEqual([QUEUES[1], QUEUES[0]])
    expect(linesOf((await oslo(['queues', '--orphans', '--json'])).out)).toEqual([QUEUES[0]])
  })

  it('queues --orphans - exit code 0 although it found some, 3 with --fail, 0 with --fail when there is none', async () => {
    expect((await oslo(['queues', '--orphans'])).code).toBe(0)
    expect((await oslo(['queues', '--orphans', '--fail'])).code).toBe(3)
    const none = await oslo(['queues', '--orphans', '--fail'], { queues: async () => [QUEUES[1]] })
    expect(none).toMatchObject({ code: 0, out: '1 queue, no orphan\n' })
  })

  it('a name that would move the cursor is shown without that', async () => {
    const queues = async () => [{ ...QUEUES[0], name: 'x\u001b[2Jy\nz' }]
    expect((await oslo(['queues'], { queues })).out).toContain('x?[2Jy z ')
  })

  it('P09 - a failure is one line on stderr, exit code 1, and the connection is closed', async () => {
    const redrive = async () => await Promise.reject(new TransportDriverError('The broker\n  went away'))
    const { code, out, err, closed } = await oslo(['redrive', 'a'], { redrive })
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: 'oslo-msg: The broker went away\n' })
    expect(closed).toHaveLength(1)
  })

  it('what a driver cannot do is refused in its name, with what it can', async () => {
    const without = await oslo(['queues'], { queues: undefined })
    expect(without).toMatchObject({ code: 1, err: 'oslo-msg: The fake driver has no queues; it offers redrive\n' })
    const nothing = await oslo(['redrive', 'a'], null)
    expect(nothing).toMatchObject({
      code: 1,
      err: 'oslo-msg: The fake driver has no administration; it offers nothing for operators\n',
    })
  })

  it('--url and --notifications choose the broker; no password is printed', async () => {
    const given = await oslo(['redrive', 'a', '--url', 'fake://user:given-secret@elsewhere/'])
    expect(given.closed).toEqual([expect.stringMatching(/elsewhere/)])
    const env = { OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL: 'fake://bus/' }
    expect((await oslo(['redrive', 'a', '--notifications'], {}, env)).closed).toEqual([expect.stringMatching(/bus/)])
    const wrong = await oslo(['redrive', 'a', '--url', 'nats://user:given-secret@elsewhere/'])
    expect(wrong.code).toBe(1)
    expect(wrong.err).toMatch(/No driver serves the scheme nats/)
    expect(wrong.err + JSON.stringify(given)).not.toMatch(/secret/)
  })

  it.each([['--help'], ['-h'], ['help']])('%s - lists every command, each on a line of its own', async (word) => {
    const { code, out, err } = await oslo([word])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
    expect(out).toContain('Exit codes')
  })

  it.each(Object.keys(COMMANDS).flatMap((name) => [40, 80].map((columns) => ({ name, columns }))))(
    '$name --help - fits $columns columns',
    async ({ name, columns }) => {
      let out = ''
      const code = await run([name, '--help'], { out: (text) => (out += text), err: () => {}, columns })
      expect(code).toBe(0)
      expect(out).toContain(`Usage: oslo-msg ${name}`)
      // What cannot be broken, a long word, may stand out.
      const wide = out.split('\n').filter((line) => line.length > columns && line.trim().includes(' '))
      expect(wide.filter((line) => !/^ {2}-{1,2}\S+( <\S+>)?$/.test(line) && !line.startsWith('Usage:'))).toEqual([])
    },
  )

  it('docs/cli.md - has every exit code in its table, and no other', () => {
    const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
    const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    expect(codes).toEqual(Object.values(EXIT))
  })

  it('--version - the version of the package', async () => {
    expect((await oslo(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

const linesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))

describe('oslo-msg completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s - has every command and its options', async (shell) => {
    const { code, out } = await oslo(['completion', shell])
    expect(code).toBe(0)
    for (const name of Object.keys(COMMANDS)) expect(out).toContain(name)
    for (const word of ['orphans', 'at-least-once', 'faults', 'validate']) expect(out).toContain(word)
  })

  it('bash - completes commands, options and parts of commands', async () => {
    const { out } = await oslo(['completion', 'bash'])
    const ask = `${out}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oslo_msg; echo "\${COMPREPLY[@]}"`
    const complete = (...words: readonly string[]): string =>
      spawnSync('bash', ['-c', ask, 'bash', 'oslo-msg', ...words], { encoding: 'utf8' }).stdout.trim()
    expect(complete('do')).toBe('doctor')
    expect(complete('queues', '--or')).toBe('--orphans')
    expect(complete('config', 'va')).toBe('validate')
  })
})
