import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Command, Option } from 'commander'
import { withRpc } from '../broker/connect.ts'
import { after, interrupted } from '../broker/interrupted.ts'
import { addBrokerOptions, type BrokerOptions, seconds, wholeNumber } from '../broker/options.ts'
import { type Answers, startAnswering } from '../broker/answering-server.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine, jsonText } from '../text/json.ts'
import { count, printable } from '../text/printable.ts'
import { readObject } from '../text/words.ts'
import { UsageError } from '../usage-error.ts'

interface ServeOptions extends BrokerOptions {
  readonly server: string
  readonly exchange?: string
  readonly delay?: number
  readonly fail?: string
  readonly failClass: string
  readonly random?: number
  readonly answers?: string
  readonly workers: number
  readonly count?: number
  readonly for?: number
  readonly quiet: boolean
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'A server for trying clients: answers whatever method is called with its name and arguments, or as it is told. It takes its share of the requests of the topic: use a topic of its own where real servers listen.',
      )
      .argument('<topic>', 'topic to serve')
      .option('--server <name>', 'name of this server', hostname())
      .option('--exchange <name>', 'instead of [DEFAULT] control_exchange')
      .addOption(new Option('--delay <seconds>', 'answer so much later').argParser(seconds('--delay')))
      .option('--fail <text>', 'raise an error with this text instead of answering')
      .option('--fail-class <name>', "Python's name of that error", 'RuntimeError')
      .addOption(new Option('--random <part>', 'fail that part of the requests, 0 to 1').argParser(part))
      .option(
        '--answers <file>',
        'JSON object: method to its answer, or to {"raise": "Class", "message": "..."}; * for others',
      )
      .addOption(new Option('--workers <n>', 'requests at once').argParser(wholeNumber('--workers')).default(64))
      .option('--count <n>', 'end after so many requests', wholeNumber('--count'))
      .addOption(new Option('--for <seconds>', 'end after so long').argParser(seconds('--for')))
      .option('--quiet', 'do not print each request', false),
    60,
    'subscribing',
  ).action((topic: string, options: ServeOptions) => act(async (io) => await serve(topic, options, io)))
}

function part(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new UsageError(`--random is a part from 0 to 1, not ${JSON.stringify(text)}`)
}

async function serve(topic: string, options: ServeOptions, io: Io): Promise<number> {
  const answers = await readAnswers(options)
  return await withRpc(options, io, async (transport) => {
    let served = 0
    const full = new AbortController()
    const { exchange = null, server, workers, quiet, json } = options
    const target = { topic, exchange, server }
    const running = await startAnswering(transport, target, {
      answers,
      delayMs: (options.delay ?? 0) * 1000,
      workers,
      timeoutMs: options.timeout * 1000,
      signal: io.signal,
      onRequest: ({ method, args, kind, failed }) => {
        served += 1
        if (!quiet)
          io.out(
            json
              ? jsonLine({ kind, method, args, failed })
              : `${kind} ${printable(method)} ${jsonText(args)}${failed ? ' (failed)' : ''}\n`,
          )
        if (served === options.count) full.abort()
      },
    })
    io.err(`oslo-msg: serving ${printable(topic)} as ${printable(server)}; Ctrl-C ends\n`)
    const timer = after(options.for)
    try {
      await Promise.race([interrupted(io.signal), interrupted(full.signal), timer.over, running.lost])
    } finally {
      timer.cancel()
    }
    await running.drain()
    io.err(`oslo-msg: served ${count(served, 'request')}\n`)
    return EXIT.done
  })
}

async function readAnswers({ answers: file, fail, failClass, random }: ServeOptions): Promise<Answers> {
  const given = [file, fail, random].filter((each) => each !== undefined)
  if (given.length > 1) throw new UsageError('--answers, --fail and --random exclude each other')
  const failure = { class: failClass, message: fail ?? 'oslo-msg serve was told to fail' }
  if (fail !== undefined) return () => ({ failure })
  if (random !== undefined) return (_, echo) => (Math.random() < random ? { failure } : { result: echo })
  if (file === undefined) return (_, echo) => ({ result: echo })
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new UsageError(
      `--answers: ${file} cannot be read (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'})`,
    )
  }
  const table = readObject(text, `--answers ${file}`)
  return (method) => {
    const answer = Object.hasOwn(table, method) ? table[method] : table['*']
    if (answer === undefined)
      return { failure: { class: 'NoSuchMethod', message: `Endpoint does not support RPC method ${method}` } }
    if (typeof answer === 'object' && answer !== null && 'raise' in answer)
      return { failure: { class: String(answer.raise), message: 'message' in answer ? String(answer.message) : '' } }
    return { result: answer }
  }
}
