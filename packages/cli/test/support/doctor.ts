import { createDriverRegistry } from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { amqpDriver } from '@oslo-messaging/amqp'
import { kafkaDriver } from '@oslo-messaging/kafka'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { run } from '../../src/index.ts'

/** A finding as `--json` prints it. */
export interface PrintedFinding {
  readonly severity: 'error' | 'warning' | 'note' | 'ok'
  readonly check: string
  readonly what: string
  readonly why: string
  readonly fix: string
}

const registry = createDriverRegistry({ drivers: [rabbitDriver, amqpDriver, kafkaDriver, memoryDriver] })

/** Examines a deployment by its URL and options, e.g. `{ oslo_messaging_rabbit: { ssl: 'true' } }`. */
export async function doctor(
  url: string,
  options: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ...argv: readonly string[]
): Promise<{
  readonly code: number
  readonly found: readonly PrintedFinding[]
  readonly out: string
  readonly err: string
}> {
  let [out, err] = ['', '']
  const env = Object.fromEntries(
    Object.entries(options).flatMap(([group, values]) =>
      Object.entries(values).map(([name, value]) => [`OS_${group.toUpperCase()}__${name.toUpperCase()}`, value]),
    ),
  )
  const code = await run(['doctor', '--json', '--timeout', '5', ...argv], {
    registry,
    env: { OS_DEFAULT__TRANSPORT_URL: url, ...env },
    out: (text) => (out += text),
    err: (text) => (err += text),
  })
  const found = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PrintedFinding)
  return { code, found, out, err }
}
