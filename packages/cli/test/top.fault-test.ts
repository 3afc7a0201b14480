import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { skipOrFail, startBroker } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcClient, getRpcTransport, loadConfig } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it } from 'vitest'
import { jsonLines, memoryServer } from './support/memory.ts'
import { osloMsg } from './support/program.ts'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const rabbit = await skipOrFail(startBroker('rabbit', { plugins: ['rabbitmq_management'] }))

describe.skipIf(rabbit === undefined)('oslo-msg top on RabbitMQ', () => {
  if (rabbit === undefined) return

  it('calls a second as the broker counts them, readers and backlog of the queues of the topic', async () => {
    const registry = createDriverRegistry({ drivers: [rabbitDriver] })
    const transport = await getRpcTransport(await loadConfig(), { url: rabbit.url, registry })
    await memoryServer(transport, 'fleet', 'one', { work: () => 1 })
    const client = getRpcClient(transport, { topic: 'fleet' })
    const stop = new AbortController()
    const calls = (async () => {
      while (!stop.signal.aborted) await client.call({}, 'work', {})
    })()
    const argv = ['top', 'fleet', '--once', '--json', '--management', rabbit.managementUrl ?? '']
    await expect
      .poll(async () => jsonLines((await osloMsg(rabbit.url, ...argv)).stdout)[0]?.['perSecond'], {
        timeout: 60_000,
        interval: 1000,
      })
      .toBeGreaterThan(5)
    const { stdout, code } = await osloMsg(rabbit.url, ...argv.filter((word) => word !== '--json'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^fleet {2}ok/)
    expect(stdout).toMatch(/^fleet +\d+ +1 +\d+\.\d +\d+\.\d$/m)
    expect(stdout).toMatch(/^fleet\.one +\d+ +1 /m)
    stop.abort()
    await calls
    await transport.close()
  })

  it('Ctrl-C at a terminal - the cursor is back, and the terminal echoes and waits for lines again', async () => {
    const command = `${process.execPath} ${PROGRAM} top fleet --url ${rabbit.url} --management ${rabbit.managementUrl ?? ''} --wait 0.2 --interval 0.3; stty -a`
    const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    await expect.poll(() => out, { timeout: 30_000 }).toMatch(/fleet {2}/)
    child.stdin.write('\u0003')
    await once(child, 'close')
    const [screen = '', settings = ''] = out.split(/(?=speed \d+ baud)/)
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'))
    expect(settings).toMatch(/(?<!-)\bicanon\b/)
    expect(settings).toMatch(/(?<!-)\becho\b/)
  })
})
