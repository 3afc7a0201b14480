import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FaultProxy } from '@oslo-messaging/conformance/faults'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { strike } from '../src/simulate/fault-plan.ts'

const REFUSING = [{ kind: 'refuse', fromMs: 0, toMs: 600_000 }] as const
const NO_LEVERS = { restart: undefined, killNode: undefined, startNode: undefined }
let broker: Server
let proxy: FaultProxy

async function listening(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Whether the proxy takes a connection. */
async function isOpen(): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(proxy.port, proxy.host)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

beforeEach(async () => {
  broker = await listening()
  const { port } = broker.address() as AddressInfo
  proxy = await FaultProxy.open({ host: '127.0.0.1', port })
})

afterEach(async () => {
  await proxy.close()
  broker.close()
})

describe('the faults of a simulation', () => {
  it('called off while one is under way - the broker can be reached again', async () => {
    const tell = vi.fn<(error: unknown) => void>()
    const striking = strike(REFUSING, { proxies: [proxy], levers: NO_LEVERS, now: () => performance.now() }, tell)
    await expect.poll(isOpen).toBe(false)
    await striking.callOff()
    await expect.poll(isOpen).toBe(true)
    expect(tell).not.toHaveBeenCalled()
  })

  it('called off while a node is still being killed - it is started after that, and not before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'oslo-msg-'))
    const log = join(folder, 'log')
    const levers = {
      ...NO_LEVERS,
      killNode: `echo dying >> ${log}; sleep 0.5; echo dead >> ${log}`,
      startNode: `echo started >> ${log}`,
    }
    const tell = vi.fn<(error: unknown) => void>()
    const plan = [{ kind: 'kill-node', fromMs: 0, toMs: 600_000 }] as const
    const striking = strike(plan, { proxies: [], levers, now: () => performance.now() }, tell)
    await expect.poll(async () => await readFile(log, 'utf8').catch(() => '')).toContain('dying')
    await striking.callOff()
    expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(['dying', 'dead', 'started'])
    expect(tell).not.toHaveBeenCalled()
    await rm(folder, { recursive: true })
  })

  it('one that cannot end - is told, and ends no process', async () => {
    const tell = vi.fn<(error: unknown) => void>()
    const striking = strike(REFUSING, { proxies: [proxy], levers: NO_LEVERS, now: () => performance.now() }, tell)
    await expect.poll(isOpen).toBe(false)
    const other = await listening(proxy.port)
    await striking.callOff()
    await expect.poll(() => tell.mock.calls).toEqual([[expect.objectContaining({ code: 'EADDRINUSE' })]])
    other.close()
  })
})
