import type { Socket } from 'node:net'

/** Makes everything that is written in one turn of the event loop one system call.
 *  amqplib writes each message on its own, so 64 replies finished together would be 64 packets; held back until the turn ends, they are one. */
export function coalesceWrites(socket: Socket): void {
  const write: (...parameters: Parameters<Socket['write']>) => boolean = socket.write.bind(socket)
  let corked = false
  const release = (): void => {
    corked = false
    socket.uncork()
  }
  Object.defineProperty(socket, 'write', {
    configurable: true,
    writable: true,
    value(...parameters: Parameters<Socket['write']>): boolean {
      if (!corked) {
        corked = true
        socket.cork()
        process.nextTick(release)
      }
      return write(...parameters)
    },
  })
}
