import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rewrite } from '../src/commands/simulator.ts'
import { drawLength, drawText } from '../src/simulator/message.ts'
import { onMemory, type Printed } from './support/memory.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'cli-simulator-'))

interface Figures {
  readonly series: Readonly<Record<string, readonly { readonly seq: number; readonly count: number }[]>>
  readonly summary: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const figuresIn = (file: string): Figures => JSON.parse(readFileSync(file, 'utf8')) as Figures
const jsonOf = (name: string): string => join(FOLDER, `${name}.json`)

/** Runs a server mode until it is told to end, and a client mode beside it. */
async function together(
  name: string,
  server: readonly string[],
  client: readonly string[],
): Promise<{ readonly server: Printed; readonly client: Printed; readonly sent: Figures; readonly taken: Figures }> {
  const url = `memory://simulator-${name}/`
  const stop = new AbortController()
  let up = (): void => {}
  const isUp = new Promise<void>((resolve) => (up = resolve))
  const serving = onMemory(url, ['simulator', '-j', jsonOf(`${name}-server`), ...server], {
    signal: stop.signal,
    err: (text) => {
      if (text.includes('Ctrl-C ends')) up()
    },
  })
  await isUp
  const sent = await onMemory(url, ['simulator', '-j', jsonOf(`${name}-client`), ...client])
  // With --sync the server ends of its own accord.
  if (!client.includes('--sync')) stop.abort()
  return {
    server: await serving,
    client: sent,
    sent: figuresIn(jsonOf(`${name}-client`)),
    taken: figuresIn(jsonOf(`${name}-server`)),
  }
}

describe("oslo-msg simulator, Python's own by its options", () => {
  it('O2, O5 rpc-server and rpc-client - so many clients send so many messages each, and each comes back', async () => {
    const { client, server, sent, taken } = await together('rpc', ['rpc-server'], ['rpc-client', '-p', '3', '-m', '5'])
    expect([client.code, server.code]).toEqual([0, 0])
    expect(sent.summary['client']?.['count']).toBe(15)
    expect(sent.summary['round_trip']?.['count']).toBe(15)
    expect(taken.summary['server']?.['count']).toBe(15)
    expect(sent.summary['error']).toMatchObject({ count: 0 })
  })

  it('O3 -tp, -s, -tg, -l, -j - topic, server, targets, time and file of the figures', async () => {
    const server = ['-tp', 'other', '-s', 'one', 'rpc-server']
    const { client, taken } = await together('options', server, [
      '-tg',
      'other.one',
      '-l',
      '0.3',
      'rpc-client',
      '-w',
      '0.02',
    ])
    expect(client.code).toBe(0)
    const { count = 0 } = taken.summary['server'] ?? {}
    expect(count).toBeGreaterThan(1)
    expect(count).toBeLessThan(20)
    expect(rewrite(['-tg', 'a.b', 'c.d', 'rpc-client', '-p', '2'])).toEqual([
      '--targets',
      'a.b',
      '--targets',
      'c.d',
      'rpc-client',
      '-p',
      '2',
    ])
  })

  it('O4 -w, --requeue and -e - a server waits, and hands each notification back once', async () => {
    const slow = await together('wait', ['rpc-server', '-w', '0.2', '-e', 'threading'], ['rpc-client'])
    expect(slow.sent.summary['round_trip']?.['min_latency']).toBeGreaterThanOrEqual(0.19)
    const again = await together('requeue', ['notify-server', '--requeue'], ['notify-client', '-m', '4', '-w', '0.05'])
    expect(again.taken.summary['server']?.['count']).toBe(4)
  })

  it('O5 --is-cast, --is-fanout, --timeout and --sync - casts have no way back; the server stops with its clients', async () => {
    const cast = await together('cast', ['rpc-server'], ['rpc-client', '-m', '3', '--is-cast', '--exit-wait', '0.1'])
    expect(cast.sent.summary).not.toHaveProperty('round_trip')
    const fanout = await together('fanout', ['rpc-server'], ['rpc-client', '-m', '3', '--is-fanout', '--sync', 'call'])
    expect(fanout.taken.summary['server']?.['count']).toBe(3)
    const late = ['rpc-client', '--timeout', '0.1']
    const { client, sent } = await together('timeout', ['rpc-server', '-w', '0.5'], late)
    expect(sent.summary['error']).toMatchObject({ count: 1 })
    expect(client.code).toBe(3)
  })

  it('O2 notify-server, batch-notify-server and notify-client', async () => {
    const one = await together('notify', ['notify-server'], ['notify-client', '-p', '2', '-m', '3', '-w', '0.05'])
    expect(one.taken.summary['server']?.['count']).toBe(6)
    const batch = await together('batch', ['batch-notify-server'], ['notify-client', '-m', '3'])
    expect(batch.sent.summary['client']?.['count']).toBe(3)
    expect(batch.server.code).toBe(0)
  })

  it('O6 random lower-case texts as long as recorded ones', () => {
    const lengths = Array.from({ length: 2000 }, () => drawLength())
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(501)
    expect(Math.max(...lengths)).toBeLessThan(11_500)
    const median = lengths.toSorted((one, other) => one - other)[1000] ?? 0
    expect(median).toBeGreaterThan(1500)
    expect(median).toBeLessThan(3000)
    expect(drawText(200)).toMatch(/^[a-z]{200}$/)
  })

  it('O7 statistics - each second on a line, all of it at the end, and both in the file', async () => {
    const { client, server, sent } = await together(
      'figures',
      ['rpc-server'],
      ['-l', '2.3', 'rpc-client', '-w', '0.05'],
    )
    expect(client.out).toMatch(/^client +seq: 0 +count: \d+ +bytes: \d+/m)
    expect(server.out).toMatch(/^server +seq: 1 +count: \d+ +bytes: \d+ +latency: \d+\.\d{3} min: \d+\.\d{3} max: /m)
    expect(client.out).toMatch(
      /^round_trip: duration: \d+\.\d\d count: \d+ \(\d+\.\d msg\/sec\) bytes: \d+ \(\d+ bps\), latency:/m,
    )
    const points = sent.series['client_0'] ?? []
    expect(points.map(({ seq }) => seq)).toEqual(points.map((_, index) => index))
    expect(points.reduce((sum, { count }) => sum + count, 0)).toBe(sent.summary['client']?.['count'])
    expect(Object.keys(sent.summary['round_trip'] ?? {}).toSorted()).toEqual([
      'count',
      'count_p_s',
      'duration',
      'end',
      'latency',
      'max_latency',
      'min_latency',
      'size',
      'size_p_s',
      'start',
    ])
  })

  it.each([
    { argv: [], says: 'Which mode?' },
    { argv: ['rpc-sever'], says: 'There is no mode rpc-sever; did you mean rpc-server?' },
    { argv: ['rpc-client', '-p', 'many'], says: 'It is a number of at least 1' },
    { argv: ['rpc-client', '--sync', 'maybe'], says: 'Allowed choices are call, fanout' },
  ])('$argv - wrong usage, one line', async ({ argv, says }) => {
    const { code, out, err } = await onMemory('memory://simulator-usage/', ['simulator', ...argv])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(says)
    expect(err).toMatch(/^[^\n]*\n$/)
  })
})
