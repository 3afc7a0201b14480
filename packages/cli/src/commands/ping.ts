import { type Command, Option } from 'commander'
import type { Transport } from '@oslo-messaging/core'
import { withRpc } from '../broker/connect.ts'
import { addBrokerOptions, type BrokerOptions, repeatable, seconds, wholeNumber } from '../broker/options.ts'
import { type Pong, pingAll, pingOne } from '../broker/pinging.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { jsonLine } from '../text/json.ts'
import { count, printable } from '../text/printable.ts'
import { tableText } from '../text/table.ts'

interface PingOptions extends BrokerOptions {
  readonly server: readonly string[]
  readonly exchange?: string
  readonly wait: number
  readonly count: number
}

export function define(command: Command, act: (action: Action) => void): void {
  addBrokerOptions(
    command
      .description(
        'Asks every server of a topic for a sign of life and prints how long each took. Servers do not say their names: name those that are to be told apart. Exit code 3: somebody did not answer.',
      )
      .argument('<topic>', 'topic of the servers')
      .addOption(repeatable('--server <name>', 'this one, by name; may be repeated'))
      .option('--exchange <name>', 'instead of [DEFAULT] control_exchange')
      .addOption(
        new Option('--wait <seconds>', 'how long answers are waited for').argParser(seconds('--wait')).default(2),
      )
      .addOption(new Option('--count <n>', 'ping so many times').argParser(wholeNumber('--count')).default(1)),
    60,
    'connecting and each ping of a named server',
  ).action((topic: string, options: PingOptions) => act(async (io) => await ping(topic, options, io)))
}

async function ping(topic: string, options: PingOptions, io: Io): Promise<number> {
  return await withRpc(options, io, async (transport) => {
    let missing = false
    for (let round = 0; round < options.count && !io.signal.aborted; round += 1) {
      const pongs = await ask(transport, topic, options, io)
      missing ||= pongs.length === 0 || pongs.some(({ ms }) => ms === null)
      io.out(options.json ? pongs.map(jsonLine).join('') : textOf(topic, pongs, options))
    }
    return missing ? EXIT.found : EXIT.done
  })
}

async function ask(transport: Transport, topic: string, options: PingOptions, io: Io): Promise<readonly Pong[]> {
  const { exchange = null, server, wait, timeout } = options
  const waits = { waitMs: wait * 1000, connectMs: timeout * 1000, signal: io.signal }
  if (server.length === 0) return await pingAll(transport, { topic, exchange }, waits)
  return await Promise.all(
    server.map(async (name) => await pingOne(transport, { topic, exchange, server: name }, waits)),
  )
}

function textOf(topic: string, pongs: readonly Pong[], { wait }: PingOptions): string {
  if (pongs.length === 0)
    return `No server of ${printable(topic)} answered within ${wait} s: none is up, or the exchange is another one (--exchange)\n`
  const rows = pongs.map(({ server, ms, says }) => [
    printable(server),
    ms === null ? '-' : `${ms.toFixed(1)} ms`,
    printable(says),
  ])
  const answered = pongs.filter(({ ms }) => ms !== null).length
  return `${tableText([['SERVER', 'ROUND TRIP', ''], ...rows], { right: [1] })}${count(answered, 'server')} of ${printable(topic)} answered\n`
}
