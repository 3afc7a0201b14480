import { once } from 'node:events'
import net from 'node:net'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { poll } from '../src/deadline.ts'
import { FaultProxy } from '../src/fault-proxy.ts'

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
    const late = (): Error => new Error(`expected ${text.slice(0, 40)}, heard ${this.received.slice(0, 40)}`)
    await poll(() => this.received.endsWith(text) || undefined, { timeoutMs: 5000, everyMs: 5, late })
  }

  ended(): Promise<string> {
    return poll(() => this.end, { timeoutMs: 5000, everyMs: 5, late: () => new Error('the connection lives on') })
  }
}

async function connected(): Promise<Client> {
  const client = new Client()
  client.socket.write('hello')
  await client.hears('hello')
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
    await poll(() => proxy.connections === 0 || undefined, { timeoutMs: 5000, late: () => new Error('still counted') })
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
    await poll(() => proxy.connections === 2 || undefined, { timeoutMs: 5000, late: () => new Error('not taken') })
    expect([old.received, young.received]).toEqual(['hello', ''])
    proxy.pass()
    expect([await old.ended(), await young.ended()]).toEqual(['ECONNRESET', 'ECONNRESET'])
    await connected()
  })
})
