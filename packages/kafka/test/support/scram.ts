import { pbkdf2Sync, randomBytes } from 'node:crypto'
import net from 'node:net'

const ALTER_USER_SCRAM_CREDENTIALS = 51
const ITERATIONS = 4096
const MECHANISMS = [
  { id: 1, digest: 'sha256', bytes: 32 },
  { id: 2, digest: 'sha512', bytes: 64 },
] as const

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number): Buffer => {
  const data = Buffer.alloc(4)
  data.writeInt32BE(value)
  return data
}
/** Lengths below 127 fit one byte of a varint, plus one as the compact forms want it. */
const compact = (data: Buffer): Buffer => Buffer.concat([Buffer.from([data.length + 1]), data])
const NO_TAGS = Buffer.from([0])

/** Gives a user a SCRAM password for both mechanisms, over a listener where everybody may. kafkajs has no request for
 *  it. */
export async function setScramPassword(port: number, user: string, password: string): Promise<void> {
  for (const { id, digest, bytes } of MECHANISMS) {
    const salt = randomBytes(16)
    const salted = pbkdf2Sync(password, salt, ITERATIONS, bytes, digest)
    await alter(
      port,
      user,
      Buffer.concat([
        compact(Buffer.from(user)),
        Buffer.from([id]),
        int32(ITERATIONS),
        compact(salt),
        compact(salted),
        NO_TAGS,
      ]),
    )
  }
}

/** Shape: header v2, then compact arrays: no deletions, one upsertion of name, mechanism, iterations, salt, salted
 *  password. */
async function alter(port: number, user: string, upsertion: Buffer): Promise<void> {
  const body = Buffer.concat([Buffer.from([1, 2]), upsertion, NO_TAGS])
  const name = Buffer.from('test')
  const header = Buffer.concat([
    int16(ALTER_USER_SCRAM_CREDENTIALS),
    int16(0),
    int32(1),
    int16(name.length),
    name,
    NO_TAGS,
  ])
  const request = Buffer.concat([header, body])
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.concat([int32(request.length), request])))
    socket.once('data', (data) => {
      socket.end()
      resolve(data)
    })
    socket.once('error', reject)
  })
  // size 4, correlation id 4, tags 1, throttle 4, array length 1, name, error code.
  const nameLength = (answer[14] ?? 1) - 1
  const error = answer.readInt16BE(15 + nameLength)
  if (error !== 0) throw new Error(`The broker refused the SCRAM credentials of ${user}: error ${error}`)
}
