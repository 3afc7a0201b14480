import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { withRpc } from './connect.ts'
import { describeFailure } from './failure-text.ts'
import { clientOf, readRequests, type Request } from './request.ts'
import type { RequestOptions } from './request-options.ts'
import { interruptOf, sendMany } from './send-many.ts'

/** Which requests to cast. */
export interface Casting {
  readonly topic: string
  readonly method: string | undefined
  readonly words: readonly string[]
  readonly fanout: boolean
}

/** Casts one request or those of a file; resolves with the exit code. */
export async function castAll(
  { topic, method, words, fanout }: Casting,
  options: RequestOptions,
  io: Io,
): Promise<number> {
  const { one, ofLine, headers } = readRequests(method, words, options)
  return await withRpc(options, io, async (transport) => {
    const client = clientOf(transport, topic, options, fanout)
    const cast = async (request: Request): Promise<{ readonly sent: true }> => {
      await client.cast(request.context, request.method, request.args, {
        headers,
        timeoutMs: options.timeout * 1000,
        ...interruptOf(options.from, io),
      })
      return { sent: true }
    }
    if (options.from !== undefined)
      return await sendMany({ ...options, from: options.from }, io, async (value) => await cast(ofLine(value)))
    if (one === null) return EXIT.done
    try {
      const sent = await cast(one)
      io.out(
        options.json
          ? jsonLine(sent)
          : `The broker has ${one.method} for ${fanout ? 'every server' : 'a server'} of ${topic}\n`,
      )
      return EXIT.done
    } catch (error) {
      if (options.json) io.out(jsonLine({ error: describeFailure(error).fields }))
      throw error
    }
  })
}
