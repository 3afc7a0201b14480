import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

/** A router that forgets a connection nobody has used for `idleMs`: from then on it swallows what comes, and tells
 *  nobody. */
export async function idleNat(to: { readonly host: string; readonly port: number }, idleMs: number) {
  const sockets = new Set<Socket>()
  let forgotten = 0
  const server = createServer((client) => {
    const upstream = connect({ ...to, noDelay: true })
    let timer: ReturnType<typeof setTimeout> | undefined
    let isForgotten = false
    const used = (): boolean => {
      if (isForgotten) return false
      clearTimeout(timer)
      timer = setTimeout(() => {
        isForgotten = true
        forgotten += 1
      }, idleMs)
      return true
    }
    const pump = (from: Socket, into: Socket): void => {
      sockets.add(from)
      from.on('data', (bytes) => void (used() && into.write(bytes)))
      from.on('error', () => from.destroy())
      from.on('close', () => {
        clearTimeout(timer)
        sockets.delete(from)
        if (!isForgotten) into.destroy()
      })
    }
    used()
    pump(client, upstream)
    pump(upstream, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    /** Connections it has forgotten so far. */
    get forgotten(): number {
      return forgotten
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
