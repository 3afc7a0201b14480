import { randomUUID } from 'node:crypto'
import {
  getRpcClient,
  type RPCClientOptions,
  getRpcServer,
  type RPCServerOptions,
  getRpcTransport,
  loadConfig,
  type Logger,
  type RPCClient,
  type RPCServer,
  type RPCTransport,
  type RPCTransportOptions,
  Target,
  type TargetFields,
} from '../../src/index.ts'
import type { DriverDefinition } from '../../src/driver/driver.ts'
import { createFaults, createMemoryDriver, createRecorder, type Faults, type Recorder } from '../../src/testing.ts'

/** One line that was logged. */
export interface LogLine {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** What a logger was told: everything, and without the line in which each server says at its start what it offers. */
interface Log extends Logger {
  readonly everything: readonly LogLine[]
  readonly lines: readonly LogLine[]
}

/** A logger that keeps its lines. */
export function createLog(): Log {
  const everything: LogLine[] = []
  const at =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void everything.push({ level, message, fields })
  return {
    everything,
    get lines() {
      return everything.filter(({ level, message }) => level !== 'debug' || !message.includes(' offers '))
    },
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

/** Methods of any name and arguments: what most tests want. */
export type Anything = Record<string, (args?: object) => unknown>

export interface Scene extends AsyncDisposable {
  readonly transport: RPCTransport
  readonly topic: string
  readonly recorder: Recorder
  readonly faults: Faults
  readonly log: ReturnType<typeof createLog>
  client(options?: RPCClientOptions, fields?: TargetFields): RPCClient<Anything>
  /** A started server of the topic; ended with the scene. */
  serve(endpoints: object | readonly object[], options?: RPCServerOptions, fields?: TargetFields): Promise<RPCServer>
  server(endpoints: object | readonly object[], options?: RPCServerOptions, fields?: TargetFields): RPCServer
}

/** A transport over an in-process broker of its own, with a recorder and faults. `driver` changes the definition. */
export async function createScene(
  options: RPCTransportOptions & {
    readonly driver?: (definition: DriverDefinition) => DriverDefinition
    readonly defaults?: Record<string, string | number | boolean>
  } = {},
): Promise<Scene> {
  const { driver, defaults, ...own } = options
  const recorder = createRecorder()
  const faults = createFaults()
  const log = createLog()
  const memory = createMemoryDriver({ recorder, faults }) as DriverDefinition
  const definition = driver?.(memory) ?? memory
  const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: 'memory://', ...defaults } } })
  const transport = await getRpcTransport(conf, {
    logger: log,
    registry: { resolve: async () => definition },
    ...own,
  })
  const topic = `t${randomUUID().slice(0, 8)}`
  const server: Scene['server'] = (endpoints, serverOptions, fields) =>
    getRpcServer(
      transport,
      new Target({ topic, server: 'node1', ...fields }),
      Array.isArray(endpoints) ? (endpoints as readonly object[]) : [endpoints],
      serverOptions,
    )
  return {
    transport,
    topic,
    recorder,
    faults,
    log,
    client: (clientOptions, fields) =>
      getRpcClient<Anything>(transport, new Target({ topic, ...fields }), clientOptions),
    server,
    serve: async (...args) => {
      const made = server(...args)
      await made.start()
      return made
    },
    [Symbol.asyncDispose]: async () => {
      // Methods that never return are part of many scenes: nobody waits for them.
      await transport.close({ signal: AbortSignal.abort() })
    },
  }
}

/** What the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)} instead of rejecting`)
    },
    (error: unknown) => error,
  )
}

/** What a function throws. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('returned instead of throwing')
}

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
