import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriverRegistry } from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { run } from '../src/index.ts'
import { jsonLines } from './support/memory.ts'

const registry = createDriverRegistry({ drivers: [rabbitDriver, memoryDriver], discover: false })
const folder = mkdtempSync(join(tmpdir(), 'cli-migrate-'))

function conf(name: string, url: string, rest = ''): string {
  const file = join(folder, name)
  writeFileSync(file, `[DEFAULT]\ntransport_url = ${url}\n${rest}`)
  return file
}

const URL = 'rabbit://nova:s3cret@one/nova'
const CLASSIC = conf('classic.conf', URL)
const QUORUM = conf('quorum.conf', URL, '[oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n')
const SHORTER = conf('shorter.conf', URL, '[oslo_messaging_rabbit]\nrabbit_transient_queues_ttl = 60\n')

async function migrate(argv: readonly string[], columns = 160, env: Record<string, string> = {}) {
  let [out, err] = ['', '']
  const code = await run(['migrate', ...argv], {
    registry,
    columns,
    env,
    out: (text) => (out += text),
    err: (text) => (err += text),
  })
  return { code, out, err }
}

describe('oslo-msg migrate --plan', () => {
  it('from classic to quorum queues - what the broker would refuse, every step, exit code 3, and no password', async () => {
    const { code, out, err } = await migrate(['--plan', CLASSIC, QUORUM])
    expect({ code, err }).toEqual({ code: 3, err: '' })
    expect(out).toMatch(/^move: Old and new services cannot be at one virtual host/)
    expect(out).toMatch(/^queues of topics +not durable +durable, x-queue-type = quorum +refused$/m)
    expect(out).toMatch(/^1\. \S/m)
    expect(out).toMatch(/^ {3}Until: \S/m)
    expect(out).toContain('rabbitmqctl add_vhost')
    expect(out).not.toContain('s3cret')
  })

  it('--json - the plan as core gives it, on one line', async () => {
    const { code, out } = await migrate(['--plan', CLASSIC, QUORUM, '--json'])
    expect(code).toBe(3)
    const lines = jsonLines(out)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ kind: 'move' })
    expect(lines[0]?.['changes']).toContainEqual({
      what: 'queues of topics',
      before: 'not durable',
      after: 'durable, x-queue-type = quorum',
      effect: 'refused',
    })
  })

  it('what belongs to one process alone - one after the other, exit code 0', async () => {
    const { code, out } = await migrate(['--plan', CLASSIC, SHORTER])
    expect(code).toBe(0)
    expect(out).toMatch(/^rolling: /)
    expect(out).toMatch(/queues of replies +not durable, x-expires = 1800000 +not durable, x-expires = 60000 +own/)
  })

  it('no difference - says so, whatever the environment sets over both', async () => {
    const env = { OS_OSLO_MESSAGING_RABBIT__RABBIT_QUORUM_QUEUE: 'true' }
    expect(await migrate(['--plan', CLASSIC, CLASSIC], 80, env)).toEqual({
      code: 0,
      out: 'nothing: The broker sees no difference between the two.\n',
      err: '',
    })
    expect((await migrate(['--plan', CLASSIC, QUORUM], 80, env)).code).toBe(3)
  })

  it('at 40 columns - one under the other, and only commands are wider than the screen', async () => {
    const { out } = await migrate(['--plan', CLASSIC, QUORUM], 40)
    expect(out).toContain('queues of topics (refused)\n    from not durable\n    to durable, x-queue-type = quorum\n')
    const wide = out.split('\n').filter((line) => line.length > 40)
    expect(wide.filter((line) => !line.startsWith('     '))).toEqual([])
  })

  it('--notifications - the plan of their own broker', async () => {
    const bus = (url: string): string => `[oslo_messaging_notifications]\ntransport_url = ${url}\n`
    const one = conf('bus-one.conf', URL, bus('rabbit://bus-one/'))
    const two = conf('bus-two.conf', URL, bus('rabbit://bus-two/'))
    expect((await migrate(['--plan', one, two])).code).toBe(0)
    const { code, out } = await migrate(['--plan', one, two, '--notifications', '--json'])
    expect(code).toBe(3)
    expect(out).toMatch(/"what":"place".*bus-one.*bus-two/)
  })

  it.each([
    { argv: [CLASSIC, QUORUM], code: 2, says: 'migrate only says what to do: give --plan' },
    { argv: ['--plan', CLASSIC], code: 2, says: "missing required argument 'new'" },
    { argv: ['--plan', CLASSIC, join(folder, 'none.conf')], code: 1, says: 'none.conf' },
    {
      argv: ['--plan', CLASSIC, conf('memory.conf', 'memory://')],
      code: 1,
      says: 'From the rabbit driver to the memory driver there is no plan',
    },
    {
      argv: ['--plan', conf('m1.conf', 'memory://'), conf('m2.conf', 'memory://')],
      code: 1,
      says: 'The memory driver has no plan of migration',
    },
  ])('$says - on one line, exit code $code', async ({ argv, code, says }) => {
    const ended = await migrate(argv)
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toContain(says)
    expect(ended.err.trimEnd()).not.toContain('\n')
  })
})
