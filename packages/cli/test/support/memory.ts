import {
  createDriverRegistry,
  type DriverRegistry,
  getNotificationTransport,
  getRpcServer,
  getRpcTransport,
  loadConfig,
  type MessageServer,
  type Transport,
} from '@oslo-messaging/core'
import { memoryDriver } from '@oslo-messaging/core/testing'
import { run, type RunOptions } from '../../src/index.ts'

/** What a command printed and how it ended. */
export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const registry: DriverRegistry = createDriverRegistry({ drivers: [memoryDriver] })

/** Runs the program inside this process against the in-process broker at `url`. */
export async function onMemory(
  url: string,
  argv: readonly string[],
  options: Partial<RunOptions> & { readonly input?: string } = {},
): Promise<Printed> {
  let [out, err] = ['', '']
  const { input, env, ...rest } = options
  const code = await run(argv, {
    registry,
    stdin: (async function* () {
      if (input !== undefined) yield input
    })(),
    ...rest,
    env: { OS_DEFAULT__TRANSPORT_URL: url, ...env },
    out: (text) => {
      out += text
      rest.out?.(text)
    },
    err: (text) => {
      err += text
      rest.err?.(text)
    },
  })
  return { code, out, err }
}

/** A transport for RPC of the same broker. */
export async function memoryTransport(url: string): Promise<Transport> {
  return await getRpcTransport(await loadConfig(), { url, registry })
}

/** A transport for notifications of the same broker. */
export async function memoryNotifications(url: string): Promise<Transport> {
  return await getNotificationTransport(await loadConfig(), { url, registry })
}

/** A started server; close its transport to end it. */
export async function memoryServer(
  transport: Transport,
  topic: string,
  server: string,
  endpoint: object,
): Promise<MessageServer> {
  const started = getRpcServer(transport, { topic, server }, [endpoint])
  await started.start()
  return started
}

/** Each line as JSON. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
