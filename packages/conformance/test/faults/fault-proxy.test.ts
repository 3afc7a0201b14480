import { once } from 'node:events'
import net from 'node:net'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { breakAtRandom, FAULT_KINDS, FaultProxy, type FaultRecord, proxyURL } from '../../src/faults/index.ts'

/** A server that sends everything back, and the proxy in front of it. */
let echo: net.Server
let proxy: FaultProxy
const clients: net.Socket[] = []

beforeEach(async () => {
  echo = net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await FaultProxy.open(
    { host: '127.0.0.1', port: (echo.address() as net.AddressInfo).port },
    { urlFor: (at) => `echo://${at.host}:${at.port}/` },
  )
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.close()
  echo.close()
})

/** A connection through the proxy that collects what comes back, and remembers how it ended. */
class Client {
  readonly socket: net.Socket
  received = ''
  end: string | undefined

  constructor() {
    this.socket = net.connect(proxy.port, proxy.host)
    clients.push(this.socket)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => (this.received += text))
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.end ??= error.code))
    this.socket.on('end', () => (this.end ??= 'FIN'))
  }

  async hears(text: string): Promise<void> {
    await until(
      () => this.received.endsWith(text),
      () => `expected ${text.slice(0, 40)}, heard ${this.received.slice(0, 40)}`,
    )
  }

  async ended(): Promise<string | undefined> {
    await until(
      () => this.end !== undefined,
      () => 'the connection lives on',
    )
    return this.end
  }
}

async function until(condition: () => boolean, late: () => string): Promise<void> {
  await vi.waitFor(() => expect(condition(), late()).toBe(true), { timeout: 5000, interval: 5 })
}

async function connected(): Promise<Client> {
  const client = new Client()
  client.socket.write('hello')
  await client.hears('hello')
  return client
}

/** A client that the broker still hears, and that hears nothing of what comes back once `deafen` was called. */
async function heardButDeaf(deafen: () => void): Promise<Client> {
  const heard: string[] = []
  echo.on('connection', (socket) => socket.on('data', (data) => heard.push(data.toString())))
  const client = await connected()
  deafen()
  client.socket.write('there')
  await until(
    () => heard.join('') === 'hellothere',
    () => `the broker heard ${heard.join('')}`,
  )
  expect(client.received).toBe('hello')
  return client
}

describe('an honest proxy', () => {
  it('carries a megabyte there and back unchanged', async () => {
    const client = await connected()
    const text = 'abcdefghij'.repeat(100_000)
    client.socket.write(text)
    await client.hears(`hello${text}`)
    expect(proxy.connections).toBe(1)
    expect(proxy.url).toBe(`echo://127.0.0.1:${proxy.port}/`)
  })

  it('passes an orderly end on', async () => {
    const client = await connected()
    client.socket.end('bye')
    await expect(client.ended()).resolves.toBe('FIN')
    expect(client.received).toBe('hellobye')
    await until(
      () => proxy.connections === 0,
      () => 'still counted',
    )
  })

  it('resets a client whose target is away', async () => {
    echo.close()
    await expect(new Client().ended()).resolves.toBe('ECONNRESET')
  })
})

describe('a proxy that breaks connections', () => {
  it('reset - cuts what is open and takes new connections', async () => {
    const [one, other] = [await connected(), await connected()]
    proxy.reset()
    expect([await one.ended(), await other.ended()]).toEqual(['ECONNRESET', 'ECONNRESET'])
    await connected()
  })

  it('fin - ends in order', async () => {
    const client = await connected()
    proxy.fin()
    await expect(client.ended()).resolves.toBe('FIN')
  })

  it('resetNew - cuts new connections only, until pass', async () => {
    const old = await connected()
    proxy.resetNew()
    await expect(new Client().ended()).resolves.toBe('ECONNRESET')
    old.socket.write('still')
    await old.hears('still')
    proxy.pass()
    await connected()
  })

  it('refuse and accept - close the port and open the same one again', async () => {
    const { port } = proxy
    const client = await connected()
    await proxy.refuse()
    await expect(client.ended()).resolves.toBe('ECONNRESET')
    await expect(new Client().ended()).resolves.toBe('ECONNREFUSED')
    await proxy.accept()
    expect(proxy.port).toBe(port)
    await connected()
  })

  it('cutAfter - resets a connection that has carried so many bytes since', async () => {
    const client = await connected()
    proxy.cutAfter(1000)
    client.socket.write('x'.repeat(300))
    await client.hears('x'.repeat(300))
    client.socket.write('y'.repeat(500))
    await expect(client.ended()).resolves.toBe('ECONNRESET')
    proxy.cutAfter(null)
    const next = await connected()
    next.socket.write('z'.repeat(2000))
    await next.hears('z'.repeat(2000))
  })
})

describe('a proxy that holds bytes', () => {
  it('stall - keeps them and lets them go, for old and new connections', async () => {
    const old = await connected()
    proxy.stall()
    old.socket.write('later')
    const young = new Client()
    young.socket.write('young')
    await once(young.socket, 'connect')
    // A third, honest way to the same server shows that time enough has passed for an answer.
    const direct = net.connect((echo.address() as net.AddressInfo).port, '127.0.0.1')
    clients.push(direct)
    direct.write('direct')
    await once(direct, 'data')
    expect([old.received, young.received]).toEqual(['hello', ''])
    proxy.pass()
    await Promise.all([old.hears('hellolater'), young.hears('young')])
  })

  it('delay - is felt in both directions and keeps the order', async () => {
    const client = await connected()
    proxy.delay(60)
    const start = performance.now()
    client.socket.write('1')
    await client.hears('1')
    expect(performance.now() - start).toBeGreaterThanOrEqual(118)
    client.socket.write('2')
    proxy.delay(0)
    client.socket.write('3')
    await client.hears('hello123')
  })

  it('delay towards one side - the other direction is as quick as before', async () => {
    const client = await connected()
    proxy.delay(60, 'client')
    const start = performance.now()
    client.socket.write('1')
    await client.hears('1')
    const oneWay = performance.now() - start
    expect(oneWay).toBeGreaterThanOrEqual(58)
    proxy.delay(60, 'broker')
    const again = performance.now()
    client.socket.write('2')
    await client.hears('12')
    expect(performance.now() - again).toBeGreaterThanOrEqual(118)
  })

  it('cuts - counts the connections that were reset', async () => {
    await connected()
    const before = proxy.cuts
    proxy.reset()
    expect(proxy.cuts).toBe(before + 1)
  })

  it('blackhole - swallows everything; pass resets what has lost bytes', async () => {
    const old = await connected()
    proxy.blackhole()
    old.socket.write('lost')
    const young = new Client()
    await once(young.socket, 'connect')
    await until(
      () => proxy.connections === 2,
      () => 'not taken',
    )
    expect([old.received, young.received]).toEqual(['hello', ''])
    proxy.pass()
    expect([await old.ended(), await young.ended()]).toEqual(['ECONNRESET', 'ECONNRESET'])
    await connected()
  })
})

describe('a proxy that spoils bytes', () => {
  it('halfOpen - the open connections hear nothing any more, and new ones work', async () => {
    const old = await connected()
    proxy.halfOpen()
    old.socket.write('lost')
    await connected()
    expect([old.received, old.end]).toEqual(['hello', undefined])
    proxy.pass()
    await expect(old.ended()).resolves.toBe('ECONNRESET')
  })

  it('halfOpen - a client that gives up is forgotten', async () => {
    const old = await connected()
    proxy.halfOpen()
    expect(proxy.connections).toBe(1)
    old.socket.end()
    await until(
      () => proxy.connections === 0,
      () => 'still counted',
    )
  })

  it('drop - one direction loses its bytes, the other does not', async () => {
    const client = await heardButDeaf(() => proxy.drop('client'))
    proxy.pass()
    await expect(client.ended()).resolves.toBe('ECONNRESET')
  })

  it('stall towards the client - the broker still hears', async () => {
    const client = await heardButDeaf(() => proxy.stall('client'))
    proxy.pass()
    await client.hears('there')
  })

  it('slow - takes the time of the rate and loses nothing', async () => {
    const client = await connected()
    proxy.slow(20_000, 'broker')
    const text = 'abcdefghij'.repeat(500)
    const start = performance.now()
    client.socket.write(text)
    await client.hears(`hello${text}`)
    expect(performance.now() - start).toBeGreaterThan(200)
  })

  it('split - many small pieces make the same text', async () => {
    const pieces: number[] = []
    echo.on('connection', (socket) => socket.on('data', (data) => pieces.push(data.length)))
    const client = await connected()
    proxy.split(3)
    const text = 'abcdefghij'.repeat(20)
    client.socket.write(text)
    await client.hears(`hello${text}`)
    expect(pieces.length).toBeGreaterThan(10)
  })
})

describe('faults at random', () => {
  it('come one after the other, are told, and leave an honest proxy', async () => {
    const stop = new AbortController()
    const told: FaultRecord[] = []
    const faults = await breakAtRandom([proxy], {
      seed: 'seven',
      pauseMs: [1, 5],
      lastsMs: [1, 10],
      signal: stop.signal,
      onFault: (fault) => {
        told.push(fault)
        if (told.length === 40) stop.abort()
      },
    })
    expect(told).toEqual(faults)
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS))
    for (const [index, fault] of faults.entries())
      expect(fault.fromMs).toBeGreaterThanOrEqual(faults[index - 1]?.toMs ?? 0)
    await connected()
  })

  it('are the same for the same seed', async () => {
    const run = async (seed: string): Promise<readonly string[]> => {
      const stop = new AbortController()
      const faults = await breakAtRandom([proxy], {
        seed,
        pauseMs: [0, 1],
        lastsMs: [0, 1],
        signal: stop.signal,
        onFault: ({ toMs }) => (toMs > 100 ? stop.abort() : undefined),
      })
      return faults.slice(0, 10).map(({ kind, towards }) => `${kind} ${towards}`)
    }
    const [first, again, other] = [await run('a'), await run('a'), await run('b')]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })
})

describe('proxyURL', () => {
  it('leads each host through a proxy and keeps the rest', async () => {
    const { port } = echo.address() as net.AddressInfo
    const proxied = await proxyURL(`echo://me:secret@127.0.0.1:${port},localhost/vhost?heartbeat=5`, {
      defaultPort: port,
    })
    const [first, second] = proxied.proxies
    expect(proxied.url.toSecretString()).toBe(
      `echo://me:secret@127.0.0.1:${first?.port},127.0.0.1:${second?.port}/vhost?heartbeat=5`,
    )
    const socket = net.connect(first?.port ?? 0, '127.0.0.1')
    clients.push(socket)
    socket.write('hello')
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).toBe('hello')
    await proxied.close()
  })
})
