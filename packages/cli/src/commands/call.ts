import type { Command } from 'commander'
import { withRpc } from '../broker/connect.ts'
import { describeFailure } from '../broker/failure-text.ts'
import { clientOf, readRequests, type Request } from '../broker/request.ts'
import { addMonitorOption, addRequestOptions, addServerOption, type RequestOptions } from '../broker/request-options.ts'
import { interruptOf, sendMany } from '../broker/send-many.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine, jsonText } from '../text/json.ts'
import { printable } from '../text/printable.ts'

interface CallOptions extends RequestOptions {
  readonly monitor?: number
  readonly traceback: boolean
}

export function define(command: Command, act: (action: Action) => void): void {
  addMonitorOption(addServerOption(addRequestOptions(command)))
    .description(
      'Calls a method of one server of a topic and prints its reply as JSON. Exit code 3: the method raised.',
    )
    .option('--traceback', 'when the method raises, print where, as its server said', false)
    .action((topic: string, method: string | undefined, words: readonly string[], options: CallOptions) =>
      act(async (io) => await call(topic, method, words, options, io)),
    )
}

async function call(
  topic: string,
  method: string | undefined,
  words: readonly string[],
  options: CallOptions,
  io: Io,
): Promise<number> {
  const { one, ofLine, headers } = readRequests(method, words, options)
  return await withRpc(options, io, async (transport) => {
    const client = clientOf(transport, topic, options, false)
    const ask = async (request: Request): Promise<{ readonly result: unknown; readonly ms: number }> => {
      const { clock } = transport
      const begun = clock.now()
      const result: unknown = await client.call(request.context, request.method, request.args, {
        headers,
        ...interruptOf(options.from, io),
      })
      return { result, ms: Math.round((clock.now() - begun) * 1000) / 1000 }
    }
    if (options.from !== undefined)
      return await sendMany({ ...options, from: options.from }, io, async (value) => await ask(ofLine(value)))
    if (one === null) return EXIT.done
    try {
      const { result, ms } = await ask(one)
      io.out(options.json ? jsonLine({ result, ms }) : `${jsonText(result, 2)}\n`)
      return EXIT.done
    } catch (error) {
      return explain(error, topic, options, io)
    }
  })
}

/** What the method raised is an answer; everything else is a failure. */
function explain(error: unknown, topic: string, options: CallOptions, io: Io): number {
  const failure = describeFailure(error)
  if (options.json) io.out(jsonLine({ error: failure.fields }))
  if (!failure.isRemote) {
    if (!/no queue took/.test(failure.text)) throw error
    throw new Error(
      `${failure.text}: no server has this topic or name; oslo-msg ping ${topic} finds those that are up, --exchange names another place`,
      { cause: error },
    )
  }
  const hint = failure.traceback.length > 0 && !options.traceback ? ' (--traceback shows where)' : ''
  io.err(`oslo-msg: ${printable(failure.text)}${hint}\n`)
  if (options.traceback)
    for (const line of failure.traceback) io.err(`  ${line.trimEnd().replaceAll(/\p{Cc}|\p{Cf}/gu, '?')}\n`)
  return EXIT.found
}
