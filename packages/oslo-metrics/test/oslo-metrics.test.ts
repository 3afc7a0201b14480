/// <reference lib="esnext.disposable" />
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createDriverRegistry, getMessaging, RuntimeError } from '@oslo-messaging/core'
import { createMemoryBroker, createMemoryDriver } from '@oslo-messaging/core/testing'
import { extendTransport, type Metric, MetricSender } from '@oslo-messaging/oslo-metrics'
import { DgramSocket } from 'node-unix-socket'
import { describe, expect, it, onTestFinished } from 'vitest'

/** Where a collector may listen. */
function socketFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'oslo-metrics-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return path.join(folder, 'collector.sock')
}

/** What arrives at the socket. */
function collect(file: string): Metric[] {
  const seen: Metric[] = []
  const socket = new DgramSocket()
  socket.on('data', (bytes: Buffer) => seen.push(JSON.parse(bytes.toString()) as Metric))
  socket.bind(file)
  onTestFinished(() => socket.close())
  return seen
}

async function scene(file: string) {
  const registry = createDriverRegistry({ drivers: [createMemoryDriver({ broker: createMemoryBroker() })] })
  const overrides = { oslo_messaging_metrics: { metrics_socket_file: file, metrics_process_name: 'p' } }
  const messaging = await getMessaging({ url: 'memory://', registry, overrides })
  const end = await extendTransport(messaging.rpc)
  const fail = (): never => {
    throw new RuntimeError('no')
  }
  messaging.server({ topic: 't', server: 's' }, { ok: () => 1, fail })
  await messaging.start()
  const close = async (): Promise<void> => {
    await messaging.drain()
    await end()
  }
  return { client: messaging.client({ topic: 't', version: '1.0' }), close }
}

const quiet = { warn: () => {}, error: () => {} }
const metric = (method: string): Metric => ({
  module: 'oslo_messaging',
  name: 'rpc_client_invocation_start_total',
  action: { value: null, action: 'inc' },
  labels: {
    call_type: 'call',
    exchange: null,
    topic: 't',
    namespace: null,
    version: null,
    server: null,
    fanout: null,
    method,
    timeout: null,
    process: '',
  },
})

describe('metrics for oslo.metrics', () => {
  it('X3, X4, X6 start, end and duration of a call, with every label', async () => {
    const file = socketFile()
    const seen = collect(file)
    const { client, close } = await scene(file)
    await client.call({}, 'ok')
    await close()
    await expect.poll(() => seen.length).toBe(3)
    const labels = { ...metric('ok').labels, version: '1.0', process: 'p' }
    expect(seen).toEqual([
      { ...metric('ok'), labels },
      {
        ...metric('ok'),
        name: 'rpc_client_processing_seconds',
        labels,
        action: { action: 'observe', value: expect.any(Number) as number },
      },
      { ...metric('ok'), name: 'rpc_client_invocation_end_total', labels },
    ])
  })

  it('X5 exceptions - a call that fails has a start and an exception, neither duration nor end', async () => {
    const file = socketFile()
    const seen = collect(file)
    const { client, close } = await scene(file)
    await expect(client.call({}, 'fail')).rejects.toThrow('no')
    await client.cast({}, 'ok')
    await close()
    await expect.poll(() => seen.length).toBe(5)
    expect(seen.map(({ name, labels }) => [labels.call_type, name, labels.exception])).toEqual([
      ['call', 'rpc_client_invocation_start_total', undefined],
      ['call', 'rpc_client_exception_total', 'RuntimeError'],
      ['cast', 'rpc_client_invocation_start_total', undefined],
      ['cast', 'rpc_client_processing_seconds', undefined],
      ['cast', 'rpc_client_invocation_end_total', undefined],
    ])
  })

  it('X7 server metrics - nothing is said of servers, as in Python', async () => {
    const file = socketFile()
    const seen = collect(file)
    const { client, close } = await scene(file)
    await client.call({}, 'ok')
    await close()
    await expect.poll(() => seen.length).toBe(3)
    expect(seen.filter(({ name }) => name.startsWith('rpc_server'))).toEqual([])
  })

  it('X2 transport - a collector that comes late gets what waits, in order; more than the buffer holds is dropped', async () => {
    const file = socketFile()
    const warnings: string[] = []
    const logger = { ...quiet, warn: (text: string) => void warnings.push(text) }
    const sender = new MetricSender({ path: file, bufferSize: 2, giveUpMs: 60_000, retryMs: 20, logger })
    for (const method of ['a', 'b', 'c', 'd']) sender.add(metric(method))
    expect(warnings).toEqual(['2 metrics wait for the collector: further ones are dropped'])
    const seen = collect(file)
    await expect.poll(() => seen.map(({ labels }) => labels.method)).toEqual(['a', 'b'])
    await sender.close()
  })

  it('X2 socket absent - it gives up, and the next metric starts it again; closing does not wait', async () => {
    const file = socketFile()
    const errors: string[] = []
    const logger = { ...quiet, error: (text: string) => void errors.push(text) }
    const sender = new MetricSender({ path: file, bufferSize: 10, giveUpMs: 30, retryMs: 20, logger })
    sender.add(metric('a'))
    await expect.poll(() => errors.at(-1)).toContain('It is tried again with the next metric')
    expect(errors[0]).toContain(`cannot be sent to ${file}: No such file or directory`)
    const seen = collect(file)
    sender.add(metric('b'))
    await expect.poll(() => seen.map(({ labels }) => labels.method)).toEqual(['a', 'b'])
    const stuck = new MetricSender({ path: `${file}.no`, bufferSize: 10, giveUpMs: 60_000, retryMs: 60_000, logger })
    stuck.add(metric('c'))
    await stuck.close()
    expect(stuck.waiting).toBe(1)
  })
})
