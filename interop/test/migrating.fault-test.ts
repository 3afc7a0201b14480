/// <reference lib="esnext.disposable" />
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  LAST_PYTHON_WITH_AMQP10,
  pythonWithLibrary,
  sharedBroker,
  skipOrFail,
  startBroker,
} from '@oslo-messaging/brokers'
import { getMessaging } from '@oslo-messaging/core'
import { describe, expect, it } from 'vitest'

import { until } from './support/measured.ts'
import { programsOf, startProgram } from './support/page-programs.ts'

const at = (folder: string): string => fileURLToPath(new URL(`../../${folder}`, import.meta.url))
const programs = await programsOf(at('docs/migrating.md'))
const program = (name: string) => {
  const found = programs.get(name)
  if (found === undefined) throw new Error(`docs/migrating.md has no program ${name}`)
  return found
}
/** Where the programs find their packages: in the workspace, or, in CI, what was installed from tarballs. */
const installed = process.env['OSLO_MESSAGING_INSTALLED']
const [HERE, NEST] = [installed ?? at('interop/test'), installed ?? at('packages/nestjs/test')]

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const kafka = await skipOrFail(sharedBroker('kafka'))
const artemis = await skipOrFail(startBroker('artemis'))
const python = await skipOrFail(pythonWithLibrary())
const pythonWithAmqp = await skipOrFail(pythonWithLibrary(LAST_PYTHON_WITH_AMQP10))

async function printed(name: string, url: string, beside = HERE): Promise<string> {
  await using running = await startProgram(program(name), { beside, url })
  return await running.end()
}

/** A service.conf in a folder that goes with its scope. */
async function service(url: string, lines: readonly string[]) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'migrating-'))
  const file = path.join(folder, 'service.conf')
  await writeFile(file, [`[DEFAULT]`, `transport_url = ${url}`, ...lines, ''].join('\n'))
  return { file, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) }
}

const EVENT = 'instance.created { id: 42 }\n'

describe('other libraries: before and after print the same', () => {
  it.runIf(rabbit)('NestJS with RMQ', async () => {
    const [before, after, without] = [await rabbit?.vhost(), await rabbit?.vhost(), await rabbit?.vhost()].map(String)
    expect(await printed('nest-before', String(before).replace('rabbit:', 'amqp:'), NEST)).toBe('3\n')
    expect(await printed('nest-after', String(after), NEST)).toBe('3\n')
    expect(await printed('nest-without', String(without), NEST)).toBe('3\n')
  })

  it.runIf(rabbit)('amqplib and rascal, and back to amqplib', async () => {
    const url = async (): Promise<string> => String(await rabbit?.vhost())
    expect(await printed('amqplib-before', (await url()).replace('rabbit:', 'amqp:'))).toBe(EVENT)
    expect(await printed('rascal-before', (await url()).replace('rabbit:', 'amqp:'))).toBe(EVENT)
    expect(await printed('amqplib-after', await url())).toBe(EVENT)
    expect(await printed('amqplib-back', await url())).toBe(EVENT)
  })

  it.runIf(kafka)('kafkajs', async () => {
    expect(await printed('kafkajs-before', String(kafka?.url))).toBe('invoice.created { id: 42 }\n')
    expect(await printed('kafkajs-after', String(kafka?.url))).toBe('invoice.created { id: 42 }\n')
  })

  it.runIf(artemis)('rhea', async () => {
    expect(await printed('rhea-before', String(artemis?.url))).toBe(EVENT)
    const after = program('amqplib-after')
    const text = after.text.replace("pool: 'billing', ", '')
    await using running = await startProgram({ ...after, text }, { beside: HERE, url: String(artemis?.url) })
    expect(await running.end()).toBe(EVENT)
  })
})

describe('from Python and back, while clients go on', () => {
  /** Calls `add` by ten callers without a pause through the whole move, and tells who answered when. */
  async function moved(url: string, interpreter: string, lines: readonly string[]) {
    await using conf = await service(url, lines)
    const args = ['--config-file', conf.file]
    const start = async (name: string) => {
      const running = await startProgram(program(name), { beside: HERE, python: interpreter, args })
      await running.until('ready')
      return running
    }
    await using messaging = await getMessaging({ configFiles: conf.file, notifications: false })
    const client = messaging.client({ topic: 'sums' }, { timeoutMs: 20_000 })
    const counts: Record<string, number> = {}
    const failures: string[] = []
    const enough = new AbortController()
    const answeredBy = async (who: string): Promise<void> => {
      const before = counts[who] ?? 0
      await until(async () => (counts[who] ?? 0) > before + 20, `${who} answers`, 60_000)
    }
    await using first = await start('python-server')
    const callers = Array.from({ length: 10 }, async () => {
      while (!enough.signal.aborted)
        await client.call({}, 'add', { a: 1, b: 2 }).then(
          (reply) => {
            const { sum, by } = reply as { readonly sum: number; readonly by: string }
            if (sum === 3) counts[by] = (counts[by] ?? 0) + 1
          },
          (error: unknown) => failures.push(String(error)),
        )
    })
    // Callers without end would keep a test that failed from ending.
    await using _callers = {
      [Symbol.asyncDispose]: async () => {
        enough.abort()
        await Promise.all(callers)
      },
    }
    await answeredBy('python')
    await using node = await start('node-server')
    await answeredBy('node')
    await answeredBy('python')
    expect(await first.stop()).toBe(0)
    await answeredBy('node')
    const alone = counts['python']
    await using second = await start('python-server')
    await answeredBy('python')
    expect(await node.stop()).toBe(0)
    await answeredBy('python')
    enough.abort()
    await Promise.all(callers)
    await second.stop()
    return { counts, alone, failures }
  }

  it.runIf(rabbit && python)('RPC over RabbitMQ: no call fails', async () => {
    const lines = ['[oslo_messaging_rabbit]', 'use_queue_manager = true', '[oslo_concurrency]', 'lock_path = /tmp']
    const { counts, failures } = await moved(String(await rabbit?.vhost()), String(python), lines)
    console.log(`RabbitMQ: ${JSON.stringify(counts)}, ${failures.length} failed`)
    expect(failures).toEqual([])
  })

  it.runIf(artemis && pythonWithAmqp)('RPC over AMQP 1.0: no call fails', async () => {
    const { counts, failures } = await moved(String(artemis?.url), String(pythonWithAmqp), [])
    console.log(`AMQP 1.0: ${JSON.stringify(counts)}, ${failures.length} failed`)
    expect(failures).toEqual([])
  })

  it.runIf(kafka && python)('notifications over Kafka: the group goes on with whoever is there', async () => {
    const lines = ['[oslo_messaging_notifications]', 'driver = messagingv2', 'topics = orders']
    await using conf = await service(String(kafka?.url), lines)
    const args = ['--config-file', conf.file]
    await using messaging = await getMessaging({ configFiles: conf.file, rpc: false })
    const notifier = messaging.notifier({ publisherId: 'shop' })
    const heard = new Map<number, string[]>()
    const start = async (name: string) => {
      const running = await startProgram(program(name), { beside: HERE, python: String(python), args })
      await running.until('ready')
      return running
    }
    const hear = (all: readonly string[]): void => {
      heard.clear()
      // Threads of Python write their lines and the ends of their lines as they come.
      for (const [, by = '', id] of all.join('\n').matchAll(/(python|node) order\.created (\d+)/g))
        heard.set(Number(id), [...(heard.get(Number(id)) ?? []), by])
    }
    const lineSets: (readonly string[])[] = []
    let last = 0
    let isQuiet = false
    const enough = new AbortController()
    const sending = (async () => {
      while (!enough.signal.aborted) {
        if (!isQuiet) await notifier.info({}, 'order.created', { id: (last += 1) })
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    const by = async (running: { readonly lines: readonly string[] }): Promise<void> => {
      const before = running.lines.length
      await until(async () => running.lines.length > before + 20, 'heard', 60_000)
    }
    await using _sending = {
      [Symbol.asyncDispose]: async () => {
        enough.abort()
        await sending
      },
    }
    await using first = await start('python-listener')
    await by(first)
    // The group began at the newest: what was sent before it was there is not its own.
    const firstId = last + 1
    const missed = (): readonly number[] => {
      hear(lineSets.flat())
      const wanted = Array.from({ length: last - firstId + 1 }, (_none, index) => firstId + index)
      return wanted.filter((id) => !heard.has(id))
    }
    await using node = await start('node-listener')
    lineSets.push(first.lines, node.lines)
    // Python commits before it handles, and skips what it had fetched when it stops: the page says to move in a quiet
    // hour.
    isQuiet = true
    await until(async () => missed().length === 0, 'all heard in the quiet hour', 60_000)
    await first.stop()
    isQuiet = false
    await by(node)
    await using second = await start('python-listener')
    lineSets.push(second.lines)
    expect(await node.stop()).toBe(0)
    await by(second)
    enough.abort()
    await sending
    try {
      await until(async () => missed().length === 0, 'all heard', 60_000)
    } finally {
      const gaps = missed()
        .filter((id) => heard.has(id - 1))
        .map((id) => `${id} after ${heard.get(id - 1)?.at(-1) ?? ''}`)
      const twice = [...heard].filter(([id, all]) => id >= firstId && all.length > 1).length
      const sent = last - firstId + 1
      console.log(`Kafka: ${sent} sent, ${missed().length} not heard (${gaps.join(', ')}), ${twice} twice`)
    }
    await second.stop()
  })
})
