import net from 'node:net'
import { vi } from 'vitest'

export interface Request {
  readonly key: number
  readonly clientId: string
  readonly socket: net.Socket
}

export interface RequestHooks {
  /** What it throws is what becomes of the request. */
  readonly before?: (request: Request) => void
  /** The request is written, and as a rule with the kernel. */
  readonly behind?: (request: Request) => void
}

/** Calls back for each request that this process writes, on connections that are opened from now on: the client keeps
 *  the way to write of each. Undone by `vi.restoreAllMocks`. Shape of a request: size 4, key 2, version 2,
 *  correlation 4, client id 2 + n. */
export function watchRequests({ before, behind }: RequestHooks): void {
  // eslint-disable-next-line typescript/unbound-method -- It is called with its socket below.
  const { write } = net.Socket.prototype
  vi.spyOn(net.Socket.prototype, 'write').mockImplementation(function (this: net.Socket, ...args: unknown[]) {
    const request = requestIn(args[0], this)
    if (request !== undefined) before?.(request)
    const isWritten = Reflect.apply(write, this, args) as boolean
    if (request !== undefined) behind?.(request)
    return isWritten
  })
}

function requestIn(data: unknown, socket: net.Socket): Request | undefined {
  if (!Buffer.isBuffer(data) || data.length <= 14) return undefined
  const length = data.readInt16BE(12)
  if (length <= 0 || length >= 100) return undefined
  return { key: data.readInt16BE(4), clientId: data.toString('utf8', 14, 14 + length), socket }
}
