import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pythonWithLibrary, sharedBroker, skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { levers } from './support/levers.ts'
import { jsonLines } from './support/memory.ts'
import { osloMsg } from './support/program.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const python = await skipOrFail(pythonWithLibrary())

interface Result {
  readonly lost: number
  readonly passed: boolean
  readonly processes: number
  readonly drivers: readonly string[]
  readonly totals: { readonly sent: number; readonly resolved: number; readonly handled: number }
  readonly counts: Readonly<Record<string, number>>
  readonly recoveries: readonly { readonly recoveryMs: number | null }[]
}

async function simulated(url: string, ...argv: readonly string[]): Promise<Result & { readonly code: number }> {
  const { code, stdout, stderr } = await osloMsg(url, 'simulate', '--json', '--rate', '150', ...argv)
  expect(stderr).toBe('')
  return { ...(jsonLines(stdout)[0] as unknown as Result), code }
}

describe.skipIf(rabbit === undefined)('oslo-msg simulate in several processes', () => {
  if (rabbit === undefined) return

  it('three processes on one topic - one history: nothing lost, every call its own reply', async () => {
    const result = await simulated(await rabbit.vhost(), '--profile', 'hybrid', '--processes', '3', '--for', '5')
    expect(result).toMatchObject({ code: 0, passed: true, lost: 0, processes: 3 })
    expect(result.totals.sent).toBeGreaterThan(300)
    expect(result.totals.handled).toBe(result.totals.sent)
    expect(result.counts).toMatchObject({ 'replied-to-another': 0, unfinished: 0 })
  })

  it('three processes with resets - what was acknowledged arrives', async () => {
    const faults = ['--faults', 'reset@2s, freeze@4s+1s']
    const argv = ['--profile', 'hybrid', '--processes', '3', '--for', '8', ...faults]
    const result = await simulated(await rabbit.vhost(), ...argv)
    expect(result).toMatchObject({ passed: true, lost: 0, processes: 3 })
    for (const { recoveryMs } of result.recoveries) expect(recoveryMs).not.toBeNull()
  })

  it.skipIf(python === undefined).each(['servers', 'clients'])(
    "Python's oslo.messaging as the %s - nothing lost, every call its own reply",
    async (side) => {
      const argv = ['--profile', 'hybrid', '--python', side, '--python-command', python ?? '', '--for', '5']
      const result = await simulated(await rabbit.vhost(), ...argv)
      expect(result).toMatchObject({ code: 0, passed: true, lost: 0, processes: 2 })
      expect(result.drivers).toEqual(
        expect.arrayContaining(['rpc over rabbit', 'rpc by Python', 'notifications by Python']),
      )
      expect(result.totals.resolved).toBeGreaterThan(200)
      expect(result.totals.handled).toBe(result.totals.sent)
    },
  )

  it.skipIf(python === undefined)(
    'the run is gone while its Python worker still connects - the worker ends as well',
    async () => {
      const script = fileURLToPath(new URL('../python/simulation_worker.py', import.meta.url))
      const plan = {
        topic: 'toys',
        rpcUrl: 'rabbit://guest:guest@127.0.0.1:1/',
        profile: 'rpc',
        servers: [0],
        sends: false,
        numbers: { first: 0, step: 1 },
        bytes: 0,
        timeoutMs: 1000,
        configFile: [],
        configDir: [],
        debug: true,
      }
      const worker = spawn(python ?? '', ['-u', script], { stdio: ['pipe', 'ignore', 'pipe'] })
      onTestFinished(() => void worker.kill('SIGKILL'))
      let said = ''
      worker.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
      worker.stdin.write(`${JSON.stringify({ plan })}\n`)
      await expect.poll(() => said, { timeout: 30_000 }).toContain('Connection refused')
      worker.stdin.end()
      const [code] = await once(worker, 'close', { signal: AbortSignal.timeout(60_000) })
      expect(code).toBe(1)
    },
  )

  it('a Python without the library - one line that says what to install, nothing is sent', async () => {
    const { code, stdout, stderr } = await osloMsg(
      await rabbit.vhost(),
      'simulate',
      '--python',
      'servers',
      '--python-command',
      '/bin/false',
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^oslo-msg: \/bin\/false is no Python 3\.9 or newer with oslo\.messaging: install it[^\n]*\n$/,
    )
  })
})

describe('faults by commands of the operator', () => {
  it('restart of RabbitMQ - borne, nothing that was acknowledged is lost', async () => {
    const started = await skipOrFail(startBroker('rabbit'))
    if (started === undefined) return
    const broker = started
    onTestFinished(async () => await broker[Symbol.asyncDispose]())
    const { command, close } = await levers({ restart: async () => await broker.restart() })
    const argv = [
      '--faults',
      'restart@3s',
      '--restart-command',
      command('restart'),
      '--profile',
      'hybrid',
      '--for',
      '12',
    ]
    const durable = '?amqp_durable_queues=true'
    const { stdout } = await osloMsg(`${broker.url}${durable}`, 'simulate', '--json', '--rate', '100', ...argv)
    close()
    const [result] = jsonLines(stdout) as unknown as [Result]
    expect(result).toMatchObject({ lost: 0, passed: true })
    expect(result.recoveries[0]?.recoveryMs).not.toBeNull()
  })

  it('kill-node of three - borne with quorum queues, nothing that was acknowledged is lost', async () => {
    const started = await skipOrFail(startBroker('rabbit', { version: '4.0', nodes: 3 }))
    if (started === undefined) return
    const broker = started
    onTestFinished(async () => await broker[Symbol.asyncDispose]())
    const { command, close } = await levers({
      kill: async () => await broker.nodes[2]?.kill(),
      start: async () => await broker.nodes[2]?.start(),
    })
    const argv = [
      '--faults',
      'kill-node@3s+6s',
      '--kill-node-command',
      command('kill'),
      '--start-node-command',
      command('start'),
    ]
    const quorum = '?rabbit_quorum_queue=true&rabbit_transient_quorum_queue=true'
    const { stdout } = await osloMsg(
      `${broker.url}${quorum}`,
      'simulate',
      '--json',
      '--rate',
      '60',
      '--profile',
      'hybrid',
      '--for',
      '20',
      ...argv,
    )
    close()
    const [result] = jsonLines(stdout) as unknown as [Result]
    expect(result).toMatchObject({ lost: 0, passed: true })
    expect(result.totals.resolved).toBeGreaterThan(300)
    expect(result.recoveries[0]?.recoveryMs).not.toBeNull()
  })

  it('a command that fails - is told with its last line, and the run goes on', async () => {
    if (rabbit === undefined) return
    const argv = ['--faults', 'restart@0.5s', '--restart-command', 'echo no such unit; exit 5', '--for', '2', '--json']
    const { code, stdout, stderr } = await osloMsg(await rabbit.vhost(), 'simulate', ...argv)
    expect(stderr).toBe(
      'oslo-msg: while a fault struck: echo no such unit; exit 5 ended with exit code 5: no such unit\n',
    )
    expect(code).toBe(0)
    expect(jsonLines(stdout)[0]).toMatchObject({ lost: 0 })
  })
})
