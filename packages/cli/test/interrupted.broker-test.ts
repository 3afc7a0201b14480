import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { createDriverRegistry, getRpcTransport, loadConfig } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonLines, memoryServer } from './support/memory.ts'

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const registry = createDriverRegistry({ drivers: [rabbitDriver] })
const rabbit = await skipOrFail(sharedBroker('rabbit'))

/** The program as somebody types to it, who leaves stdin open. */
function typedTo(url: string, ...argv: readonly string[]) {
  const env = { PATH: process.env['PATH'], OS_DEFAULT__TRANSPORT_URL: url }
  const child = spawn(process.execPath, [PROGRAM, ...argv], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = once(child, 'close').then(([code]: unknown[]) => code)
  return { child, ended, out: () => out, err: () => err }
}

/** A server whose method answers when it is let go, and says how many calls it is at. */
async function heldServer(url: string) {
  const transport = await getRpcTransport(await loadConfig(), { url, registry })
  onTestFinished(async () => void (await transport.close()))
  let begun = 0
  let letGo = (): void => {}
  const free = new Promise<void>((resolve) => (letGo = resolve))
  const build = async (_: object, { n }: { readonly n: number }): Promise<number> => {
    begun += 1
    await free
    return n * 10
  }
  await memoryServer(transport, 'toys', 'one', { build })
  return { begun: () => begun, letGo: () => letGo() }
}

describe.skipIf(rabbit === undefined)('--from - and Ctrl-C', () => {
  if (rabbit === undefined) return

  it('calls that were sent are waited for and printed; what is typed after it is not sent', async () => {
    const url = await rabbit.vhost()
    const server = await heldServer(url)
    const { child, ended, out, err } = typedTo(url, 'call', 'toys', 'build', '--from', '-', '--concurrency', '4')
    child.stdin.write('{"n": 1}\n{"n": 2}\n')
    await expect.poll(server.begun, { timeout: 20_000 }).toBe(2)
    child.kill('SIGINT')
    await expect.poll(err, { timeout: 10_000 }).toContain('Ctrl-C again')
    child.stdin.write('{"n": 3}\n')
    server.letGo()
    expect(await ended).toBe(1)
    expect(jsonLines(out()).map(({ line, result }) => [line, result])).toEqual([
      [1, 10],
      [2, 20],
    ])
    expect(err()).toContain('oslo-msg: Interrupted: 2 lines done, 0 failed; the lines after them were not sent\n')
    expect(server.begun()).toBe(2)
  })

  it('a second Ctrl-C - ends at once with 130, whatever is still under way', async () => {
    const url = await rabbit.vhost()
    const server = await heldServer(url)
    const { child, ended, out, err } = typedTo(url, 'call', 'toys', 'build', '--from', '-', '--concurrency', '4')
    child.stdin.write('{"n": 1}\n')
    await expect.poll(server.begun, { timeout: 20_000 }).toBe(1)
    child.kill('SIGINT')
    await expect.poll(err, { timeout: 10_000 }).toContain('Ctrl-C again')
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(out()).toBe('')
    server.letGo()
  })

  it('while nothing is typed - ends, and says how many were sent', async () => {
    const { child, ended, out, err } = typedTo(await rabbit.vhost(), 'notify', 'e', '--from', '-')
    child.stdin.write('{"n": 1}\n{"n": 2}\n')
    await expect.poll(() => jsonLines(out()).length, { timeout: 20_000 }).toBe(2)
    child.kill('SIGINT')
    expect(await ended).toBe(1)
    expect(err()).toBe('oslo-msg: Interrupted: 2 lines done, 0 failed; the lines after them were not sent\n')
  })
})
