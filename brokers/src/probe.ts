import net from 'node:net'

/** Opens a connection, writes `hello` and gives the first `bytes` of the answer, or what is enough of it; undefined
 *  when there is none within `timeoutMs` (nobody listens, the peer closes, silence). */
function exchange(
  target: { readonly host: string; readonly port: number },
  hello: Uint8Array,
  bytes: number | ((received: Buffer) => boolean),
  timeoutMs = 2000,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: target.host, port: target.port })
    let received = Buffer.alloc(0)
    const isEnough = (): boolean => (typeof bytes === 'number' ? received.length >= bytes : bytes(received))
    const end = (answer: Buffer | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(undefined), timeoutMs)
    socket.on('connect', () => {
      socket.write(hello)
      if (bytes === 0) end(received)
    })
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (isEnough()) end(received)
    })
    socket.on('error', () => end(undefined))
    socket.on('close', () => end(undefined))
  })
}

/** AMQP 0-9-1: the answer to the protocol header is the method Connection.Start (class 10, method 10 on channel 0). */
export async function answersAmqp091(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  const answer = await exchange(target, Buffer.from('AMQP\x00\x00\x09\x01', 'latin1'), 11)
  return answer !== undefined && answer[0] === 1 && answer.readUInt16BE(7) === 10 && answer.readUInt16BE(9) === 10
}

/** AMQP 1.0: the SASL header comes back, followed by the mechanisms. */
export async function answersAmqp10(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  const answer = await exchange(target, Buffer.from('AMQP\x03\x01\x00\x00', 'latin1'), 16)
  return answer !== undefined && answer.subarray(0, 5).equals(Buffer.from('AMQP\x03', 'latin1'))
}

/** NATS: the server speaks first, and says INFO. */
export async function answersNats(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  return (await exchange(target, Buffer.alloc(0), 5, 2000))?.subarray(0, 5).toString() === 'INFO '
}

/** JetStream: the servers of a cluster have chosen who answers questions about streams. */
export async function answersJetStream(
  target: { readonly host: string; readonly port: number },
  login: { readonly user: string; readonly password: string },
): Promise<boolean> {
  const connect = JSON.stringify({ user: login.user, pass: login.password, verbose: false, pedantic: false })
  const question = `CONNECT ${connect}\r\nSUB answer 1\r\nPUB $JS.API.INFO answer 0\r\n\r\n`
  const isWhole = (received: Buffer): boolean => /MSG answer [^]*\}/.test(received.toString())
  const answer = await exchange(target, Buffer.from(question), isWhole)
  return answer !== undefined && !answer.includes('"error"')
}

/** Redis: the answer to PING, or that one has to log in first. While it reads its data it says LOADING. */
export async function answersRedis(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  const answer = await exchange(target, Buffer.from('PING\r\n'), 5)
  return answer !== undefined && ['+PONG', '-NOAU'].includes(answer.subarray(0, 5).toString())
}

/** Something takes connections; enough for helpers such as epmd. */
export async function answersTcp(target: { readonly host: string; readonly port: number }): Promise<boolean> {
  return (await exchange(target, Buffer.alloc(0), 0)) !== undefined
}
