import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { ATTRIBUTE } from './names.ts'

/** What operations are counted and measured with. */
export interface Instruments {
  readonly tracer: Tracer
  readonly operationDuration: ReturnType<Meter['createHistogram']>
  readonly processDuration: ReturnType<Meter['createHistogram']>
  readonly sent: ReturnType<Meter['createCounter']>
  readonly consumed: ReturnType<Meter['createCounter']>
}

/** One operation, as its span and its metrics need it. */
export interface Described {
  readonly name: string
  readonly kind: SpanKind
  /** Few values: of metrics, and what a sampler decides by. */
  readonly common: Attributes
  /** How many messages it is about. */
  readonly messages: number
  readonly parent: Context
  readonly links?: Link[] | undefined
}

/** One operation under way, with its span. */
export class Running {
  readonly span: Span
  /** The context that holds the span. */
  readonly active: Context
  readonly #instruments: Instruments
  readonly #described: Described
  readonly #begun = performance.now()

  constructor(instruments: Instruments, described: Described) {
    const { name, kind, common: attributes, links, parent } = described
    this.#instruments = instruments
    this.#described = described
    this.span = instruments.tracer.startSpan(
      name,
      links === undefined ? { kind, attributes } : { kind, attributes, links },
      parent,
    )
    this.active = trace.setSpan(parent, this.span)
  }

  /** An attribute of the span alone. What nobody records is not even asked for. */
  put(name: string, value: string | number | boolean | null | undefined): void {
    if (value !== null && value !== undefined) this.span.setAttribute(name, value)
  }

  /** Runs the work inside the span, and counts and measures it. */
  until<Result>(work: () => Promise<Result>): Promise<Result> {
    return context.with(this.active, work).then(
      (result) => {
        this.#end(this.#described.common)
        return result
      },
      (error: unknown) => {
        const { name, message } = error instanceof Error ? error : new Error(String(error))
        this.span.setAttribute(ATTRIBUTE.errorType, name)
        this.span.recordException({ name, message })
        this.span.setStatus({ code: SpanStatusCode.ERROR, message })
        this.#end({ ...this.#described.common, [ATTRIBUTE.errorType]: name })
        throw error
      },
    )
  }

  #end(measured: Attributes): void {
    this.#measure(measured)
    this.span.end()
  }

  #measure(attributes: Attributes): void {
    const { operationDuration, processDuration, sent, consumed } = this.#instruments
    const { kind, messages } = this.#described
    if (kind === SpanKind.PRODUCER) sent.add(messages, attributes)
    else if (kind === SpanKind.CONSUMER) consumed.add(messages, attributes)
    const duration = kind === SpanKind.CONSUMER ? processDuration : operationDuration
    duration.record((performance.now() - this.#begun) / 1000, attributes)
  }
}
