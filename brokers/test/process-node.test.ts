import { existsSync } from 'node:fs'
import net from 'node:net'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { BrokerStartFailed } from '../src/errors.ts'
import { freePorts } from '../src/ports.ts'
import { answersTcp } from '../src/probe.ts'
import { isAlive, processState } from '../src/process-identity.ts'
import { ProcessNode } from '../src/process-node.ts'
import { Workspace } from '../src/workspace.ts'

let workspace: Workspace

beforeEach(async () => {
  workspace = await Workspace.create('test')
})

afterEach(() => workspace.close())

/** A node that is a small program of this Node instead of a broker. */
function program(port: number, source: string): ProcessNode {
  return new ProcessNode({
    broker: 'test',
    name: 'n1',
    host: '127.0.0.1',
    port,
    command: process.execPath,
    args: ['-e', source],
    env: process.env,
    workspace,
    logFile: workspace.path('n1.log'),
    answers: () => answersTcp({ host: '127.0.0.1', port }),
    stopTimeoutMs: 500,
  })
}

const listening = (port: number): string => `require('net').createServer().listen(${port}, '127.0.0.1')`

describe('a broker process', () => {
  it('is started, stopped, killed and started again on the same port', async () => {
    const [port = 0] = await freePorts(1)
    const node = program(port, listening(port))
    await node.start()
    const first = node.pid ?? 0
    await node.start()
    expect(node.pid).toBe(first)
    await node.stop()
    expect(node.pid).toBeUndefined()
    expect(isAlive(first)).toBe(false)
    await node.start()
    const second = node.pid ?? 0
    await node.kill()
    expect(isAlive(second)).toBe(false)
    await expect(answersTcp(node)).resolves.toBe(false)
  })

  it('that does not listen to a stop is killed', async () => {
    const [port = 0] = await freePorts(1)
    const node = program(port, `process.on('SIGTERM', () => {}); ${listening(port)}`)
    await node.start()
    const pid = node.pid ?? 0
    await node.stop()
    expect(isAlive(pid)).toBe(false)
  })

  it('that is frozen takes connections but says nothing, and goes on after a thaw', async () => {
    const [port = 0] = await freePorts(1)
    const node = program(
      port,
      `require('net').createServer((s) => s.on('error', () => {}).end('hi')).listen(${port}, '127.0.0.1')`,
    )
    await node.start()
    await node.freeze()
    expect(['T', '']).toContain(processState(node.pid ?? 0))
    const socket = net.connect(port, '127.0.0.1')
    const heard = new Promise((resolve, reject) => {
      socket.once('data', (data) => resolve(data.toString())).once('error', reject)
    })
    await new Promise((resolve) => socket.once('connect', resolve))
    await node.thaw()
    await expect(heard).resolves.toBe('hi')
    socket.destroy()
    await node.kill()
  })

  it('that ends before it answers fails at once, with the end of its log', async () => {
    const [port = 0] = await freePorts(1)
    const node = program(port, `console.error('the disk is full'); process.exit(3)`)
    const error = await node.start().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BrokerStartFailed)
    expect(String(error)).toMatch(/it ended with exit status 3\n.*the disk is full/s)
  })

  it('whose port somebody else took says so', async () => {
    const [port = 0] = await freePorts(1)
    const other = net.createServer().listen(port, '127.0.0.1')
    const node = new ProcessNode({
      broker: 'test',
      name: 'n1',
      host: '127.0.0.1',
      port,
      command: process.execPath,
      args: ['-e', listening(port)],
      env: process.env,
      workspace,
      logFile: workspace.path('n1.log'),
      answers: async () => false,
    })
    await expect(node.start()).rejects.toMatchObject({ portTaken: true })
    other.close()
  })

  it('that cannot be found fails by name', async () => {
    const node = new ProcessNode({
      broker: 'test',
      name: 'n1',
      host: '127.0.0.1',
      port: 1,
      command: '/nowhere/at/all',
      args: [],
      env: process.env,
      workspace,
      logFile: workspace.path('n1.log'),
      answers: async () => false,
    })
    await expect(node.start()).rejects.toThrow('/nowhere/at/all')
  })
})

it('a workspace is gone after close, and closing twice is harmless', async () => {
  expect(existsSync(workspace.folder)).toBe(true)
  await workspace.close()
  expect(existsSync(workspace.folder)).toBe(false)
  await workspace.close()
})
