import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticEvents, Interceptor, Messaging } from '@oslo-messaging/core'
import { Counter, Gauge, Histogram, register, type Registry } from 'prom-client'
import { HELP } from './names.ts'

/** How metrics are kept; everything may be left out. */
export interface MetricsOptions {
  /** Default: prom-client's own. */
  readonly registry?: Registry | undefined
  /** Upper bounds of the buckets of durations, seconds. Default: those of oslo.metrics. */
  readonly buckets?: readonly number[] | undefined
}

/** What `getMetrics` gives. */
export interface Metrics {
  /** The text for `/metrics`. */
  text(): Promise<string>
  /** Takes its metrics out of the registry, and its eyes from the service. */
  close(): void
}

const BUCKETS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 25, 50, 75, 100]
const UP = ['connected', 'consuming']
/** Of what is sent and of what is handled. */
const LABELS = ['driver', 'operation', 'destination', 'method'] as const

/** Begins to measure a service: what it sends and handles, by an interceptor; what it has at the moment, when it is
 *  asked; what goes wrong in the background, from the diagnostics channels, which belong to the whole process.
 *
 *  ```ts
 *  const metrics = getMetrics(messaging)
 *  const probes = getProbes(messaging, { metrics: () => metrics.text() })
 *  ```
 *
 *  Throws when the registry has metrics of these names already: one service a registry. */
export function getMetrics(messaging: Messaging, options: MetricsOptions = {}): Metrics {
  const { registry = register, buckets = BUCKETS } = options
  const registers = [registry]
  const made: string[] = []
  const described = <Name extends keyof typeof HELP, Label extends string>(
    name: Name,
    labelNames: readonly Label[],
  ) => {
    made.push(name)
    return { name, help: HELP[name], labelNames: [...labelNames], registers }
  }
  const sends = new Counter(described('oslo_messaging_sends_total', [...LABELS, 'error']))
  const sendSeconds = new Histogram({
    ...described('oslo_messaging_send_duration_seconds', LABELS),
    buckets: [...buckets],
  })
  const handled = new Counter(described('oslo_messaging_handled_total', [...LABELS, 'error']))
  const handleSeconds = new Histogram({
    ...described('oslo_messaging_handle_duration_seconds', LABELS),
    buckets: [...buckets],
  })

  type Labels = Record<(typeof LABELS)[number], string>
  const measured = async <Result>(
    [count, seconds]: readonly [typeof sends, typeof sendSeconds],
    labels: Labels,
    next: () => Promise<Result>,
  ): Promise<Result> => {
    const begun = performance.now()
    let error = ''
    try {
      return await next()
    } catch (reason) {
      error = reason instanceof Error ? reason.name : 'Error'
      throw reason
    } finally {
      count.inc({ ...labels, error })
      seconds.observe(labels, (performance.now() - begun) / 1000)
    }
  }
  const sent = [sends, sendSeconds] as const
  const done = [handled, handleSeconds] as const
  const interceptor: Interceptor = {
    call: async ({ kind, driver, target, method }, next) =>
      await measured(sent, { driver, operation: kind, destination: target.topic ?? '', method }, next),
    cast: async ({ kind, driver, target, method }, next) =>
      await measured(sent, { driver, operation: kind, destination: target.topic ?? '', method }, next),
    notify: async ({ kind, driver, topics, priority }, next) =>
      await measured(sent, { driver, operation: kind, destination: topics.join(','), method: priority }, next),
    serve: async ({ kind, driver, target, method }, next) =>
      await measured(done, { driver, operation: kind, destination: target.topic ?? '', method }, next),
    listen: async ({ kind, driver, listener, priority }, next) =>
      await measured(done, { driver, operation: kind, destination: listener, method: priority }, next),
  }
  const remove = messaging.use(interceptor)

  makeGauges(messaging, described)
  const unwatch = watchChannels(described)
  return {
    text: async () => await registry.metrics(),
    close() {
      remove()
      unwatch()
      for (const name of made) registry.removeSingleMetric(name)
    },
  }
}

type Described = <Name extends keyof typeof HELP, Label extends string>(
  name: Name,
  labelNames: readonly Label[],
) => { name: Name; help: string; labelNames: Label[]; registers: Registry[] }

/** What is there at the moment is looked at when somebody asks: measuring costs nothing in between. */
function makeGauges(messaging: Messaging, described: Described): void {
  const gauge = <Label extends string>(
    name: keyof typeof HELP,
    labels: readonly Label[],
    look: (tell: (labels: Record<Label, string>, value: number) => void) => void,
  ): Gauge<Label> =>
    new Gauge({
      ...described(name, labels),
      collect() {
        // What is gone must not go on with its last value.
        this.reset()
        look((values, value) => this.set(values, value))
      },
    })
  const servers = () =>
    messaging.transports.flatMap(({ kind: bus, load }) => load.servers.map((server) => ({ bus, server })))

  gauge('oslo_messaging_outstanding', ['bus'], (tell) => {
    for (const { kind: bus, load } of messaging.transports) tell({ bus }, load.outstanding)
  })
  for (const [name, part] of [
    ['oslo_messaging_workers', 'workers'],
    ['oslo_messaging_handlers_running', 'running'],
    ['oslo_messaging_handlers_waiting', 'waiting'],
  ] as const)
    gauge(name, ['bus', 'server'], (tell) => {
      for (const { bus, server } of servers()) tell({ bus, server: server.name }, server[part])
    })
  gauge('oslo_messaging_backlog', ['bus', 'source'], (tell) => {
    for (const { bus, server } of servers())
      for (const { source, waiting } of server.backlog) if (waiting !== undefined) tell({ bus, source }, waiting)
  })
  gauge('oslo_messaging_ready', [], (tell) => tell({}, messaging.health().ready ? 1 : 0))
  gauge('oslo_messaging_component_up', ['bus', 'kind', 'name', 'state'], (tell) => {
    for (const transport of messaging.transports)
      for (const { kind, name, state } of transport.health().components)
        if (state !== 'closed') tell({ bus: transport.kind, kind, name, state }, UP.includes(state) ? 1 : 0)
  })
}

/** Counts what the diagnostics channels tell. */
function watchChannels(described: Described): () => void {
  const changes = new Counter(described('oslo_messaging_state_changes_total', ['driver', 'kind', 'state']))
  const dropped = new Counter(described('oslo_messaging_dropped_total', ['driver', 'reason']))
  const abandoned = new Counter(described('oslo_messaging_replies_abandoned_total', ['driver']))
  const duplicates = new Counter(described('oslo_messaging_duplicates_handled_total', ['driver']))
  const errors = new Counter(described('oslo_messaging_background_errors_total', []))
  const unwatch = [
    watch('oslo-messaging:state', ({ driver, kind, state, previous }) => {
      if (state !== previous) changes.inc({ driver, kind, state })
    }),
    watch('oslo-messaging:message-dropped', ({ driver, reason }) => dropped.inc({ driver, reason })),
    watch('oslo-messaging:reply-abandoned', ({ driver }) => abandoned.inc({ driver })),
    watch('oslo-messaging:duplicate-handled', ({ driver }) => duplicates.inc({ driver })),
    watch('oslo-messaging:background-error', () => errors.inc()),
  ]
  return () => {
    for (const stop of unwatch) stop()
  }
}

function watch<Name extends keyof DiagnosticEvents>(
  name: Name,
  take: (event: DiagnosticEvents[Name]) => void,
): () => void {
  const listener = (event: unknown): void => take(event as DiagnosticEvents[Name])
  subscribe(name, listener)
  return () => unsubscribe(name, listener)
}
