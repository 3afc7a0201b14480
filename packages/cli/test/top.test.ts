import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { countTopic, quantileBetween, readSamples } from '../src/top/prometheus.ts'
import { jsonLines, memoryServer, memoryTransport, onMemory } from './support/memory.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** The metrics of a process that has handled `handled` calls of the topic, each within 10 to 25 ms. */
const metrics = (handled: number): string => `# HELP oslo_messaging_handled_total ...
oslo_messaging_handled_total{driver="rabbit",operation="serve",destination="fleet",method="build",error=""} ${handled}
oslo_messaging_handled_total{driver="rabbit",operation="serve",destination="other",method="build",error=""} 900
oslo_messaging_handle_duration_seconds_bucket{le="0.01",destination="fleet",method="build"} 0
oslo_messaging_handle_duration_seconds_bucket{le="0.025",destination="fleet",method="build"} ${handled}
oslo_messaging_handle_duration_seconds_bucket{le="+Inf",destination="fleet",method="build"} ${handled}
oslo_messaging_handlers_running{bus="rpc",server="fleet"} 3
oslo_messaging_handlers_waiting{bus="rpc",server="fleet"} 4
`

/** Probes of a process that handles 50 calls between two looks. */
async function probes(health: object): Promise<string> {
  let handled = 0
  const server = createServer(({ url }, response) => {
    if (url === '/metrics') handled += 50
    response.end(url === '/health' ? JSON.stringify(health) : metrics(handled))
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const ONCE = ['--once', '--wait', '0.2', '--interval', '0.2']

describe('oslo-msg top', () => {
  it('--once - every server that answers, its round trip, and that it is well', async () => {
    const url = 'memory://top-once/'
    const transport = await memoryTransport(url)
    for (const server of ['a', 'b']) await memoryServer(transport, 'fleet', server, { work: () => 1 })
    const { code, out, err } = await onMemory(url, ['top', 'fleet', ...ONCE])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^fleet {2}ok {2}\d\d:\d\d:\d\d UTC$/m)
    expect(out).toMatch(/2 servers, round trip \d+\.\d ms/)
    expect(out).toMatch(/^SERVER +ROUND TRIP$/m)
    const named = await onMemory(url, ['top', 'fleet', ...ONCE, '--server', 'a', '--server', 'gone', '--json'])
    expect(jsonLines(named.out)).toMatchObject([
      { health: 'behind', servers: [{ server: 'a' }, { server: 'gone', ms: null }], notes: ['gone does not answer'] },
    ])
    await transport.close()
  })

  it('a note that is longer than the screen is wide - is folded: what is to be done stands at its end', async () => {
    const argv = ['top', 'nobody', ...ONCE, '--probe', 'http://127.0.0.1:1/a/rather/long/path']
    const { out } = await onMemory('memory://top-notes/', argv, { columns: 40 })
    const lines = out.split('\n')
    const at = lines.findIndex((line) => line.startsWith('! http://127.0.0.1:1/'))
    expect(lines[at + 1]).toMatch(/^ {2}\S/)
    expect(out.replaceAll(/\s+/g, ' ')).toContain('neither /health nor /metrics answers')
    expect(out).not.toContain('…')
  })

  it('--once - nobody answers: down, and exit code 3', async () => {
    const { code, out } = await onMemory('memory://top-down/', ['top', 'nobody', ...ONCE])
    expect(code).toBe(3)
    expect(out).toMatch(/^nobody {2}down/)
    expect(out).toContain('! no server answers')
  })

  it('--probe - calls a second, latencies and what waits, of the topic alone', async () => {
    const url = 'memory://top-probe/'
    const transport = await memoryTransport(url)
    await memoryServer(transport, 'fleet', 'a', { work: () => 1 })
    const [well, ill] = [
      await probes({ ready: true, loopDelayMs: 2 }),
      await probes({ ready: false, reason: 'connection is down' }),
    ]
    const { out, code } = await onMemory(url, ['top', 'fleet', ...ONCE, '--probe', well, '--probe', ill, '--json'])
    expect(code).toBe(0)
    const [figures] = jsonLines(out) as unknown as [
      {
        readonly health: string
        readonly perSecond: number
        readonly notes: readonly string[]
        readonly probes: readonly { readonly perSecond: number; readonly p50: number; readonly waiting: number }[]
      },
    ]
    expect(figures.health).toBe('behind')
    expect(figures.notes).toEqual([`${ill} is not ready: connection is down`])
    const [first] = figures.probes
    expect(first?.perSecond).toBeGreaterThan(0)
    expect(first?.perSecond).toBeLessThanOrEqual(250)
    expect(first?.p50).toBeCloseTo(17.5)
    expect(first?.waiting).toBe(4)
    await transport.close()
  })

  it('metrics of the collector of oslo.metrics - by topic as well', () => {
    const page = (calls: number): ReturnType<typeof countTopic> =>
      countTopic(
        readSamples(
          `oslo_messaging_rpc_client_invocation_end_total{topic="fleet",method="a\\"b"} ${calls}\noslo_messaging_rpc_client_exception_total{topic="fleet"} 2\noslo_messaging_rpc_client_processing_seconds_bucket{topic="fleet",le="0.1"} ${calls}\noslo_messaging_rpc_client_processing_seconds_bucket{topic="fleet",le="+Inf"} ${calls}\n`,
        ),
        'fleet',
      )
    expect(page(7)).toMatchObject({ handled: 7, failed: 2 })
    expect(quantileBetween(page(7), page(17), 0.5)).toBeCloseTo(50)
    expect(quantileBetween(page(7), page(7), 0.5)).toBeNull()
  })

  it('40 columns - no line is longer, and the figures are there', async () => {
    const url = 'memory://top-narrow/'
    const transport = await memoryTransport(url)
    await memoryServer(transport, 'a-topic-with-a-rather-long-name-indeed', 'a', { work: () => 1 })
    const argv = ['top', 'a-topic-with-a-rather-long-name-indeed', ...ONCE, '--probe', await probes({ ready: true })]
    const { out } = await onMemory(url, argv, { columns: 40 })
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40)
    expect(out).toMatch(/^1 server$/m)
    expect(out).toMatch(/^PROBE +A SECOND +99 %$/m)
    await transport.close()
  })

  it.each(['q', '\u0003'])('a live screen - ends with the key %j, and shows the cursor again', async (key) => {
    let press: ((key: string) => void) | undefined
    let released = false
    let screens = 0
    const { code, out } = await onMemory(
      'memory://top-live/',
      ['top', 'nobody', '--wait', '0.05', '--interval', '0.1'],
      {
        isTerminal: true,
        onKey: (listener) => {
          press = listener
          return () => (released = true)
        },
        out: (text) => {
          if (text.includes('nobody') && (screens += 1) === 2) press?.(key)
        },
      },
    )
    expect({ code, released }).toEqual({ code: 0, released: true })
    expect(out.indexOf('\u001b[?25l')).toBeGreaterThanOrEqual(0)
    expect(out.lastIndexOf('\u001b[?25h')).toBeGreaterThan(out.lastIndexOf('\u001b[?25l'))
  })

  it('colours - the health has one, also where the topic has it in its name', async () => {
    const url = 'memory://top-colours/'
    const transport = await memoryTransport(url)
    await memoryServer(transport, 'tokens', 'a', { work: () => 1 })
    const { out } = await onMemory(url, ['top', 'tokens', ...ONCE], { colour: true })
    expect(out).toContain('tokens  \u001b[1;32mok\u001b[0m  ')
    await transport.close()
  })

  it.each([
    { argv: [], says: 'A live screen needs a terminal; --once prints one, --json goes on' },
    { argv: ['--probe', 'host:80'], says: '--probe is a URL such as http://host:8080, not "host:80"' },
    { argv: ['--interval', '0'], says: '--interval must be seconds from above 0' },
  ])('$argv - wrong usage, one line', async ({ argv, says }) => {
    const { code, out, err } = await onMemory('memory://top-usage/', ['top', 'fleet', ...argv])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(says)
    expect(err).toMatch(/^[^\n]*\n$/)
  })
})
