import net from 'node:net'

const TIMEOUT_MS = 3000
/** Key 43, version 1, correlation 1, no client id; preferred election (0) of all partitions (null), within 3 s. */
const BODY = [0, 43, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x0b, 0xb8]

/** Asks a node to elect the preferred leader of every partition: ElectLeaders, which kafkajs does not have.
 *  Resolves when it has answered, or does not: only the controller heeds it. */
export async function electPreferredLeaders(broker: string): Promise<void> {
  const [host = '', port = ''] = broker.split(':')
  const request = Buffer.from([0, 0, 0, BODY.length, ...BODY])
  await new Promise<void>((resolve) => {
    const socket = net.connect({ host, port: Number(port) })
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve()
    }
    const timer = setTimeout(end, TIMEOUT_MS)
    socket.on('connect', () => socket.write(request))
    socket.on('data', end)
    socket.on('error', end)
    socket.on('close', end)
  })
}
