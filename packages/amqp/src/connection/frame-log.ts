import { CODE, type FieldList, readPerformative } from '../session/performatives.ts'

/** Tells of every performative sent and received, for `[oslo_messaging_amqp] trace`. Payloads of messages and
 *  credentials are left out: only their size is told. */
export interface FrameLog {
  sent(channel: number, performative: Buffer, payloadBytes: number): void
  received(channel: number, code: number, fields: FieldList, payloadBytes: number): void
  /** What rhea writes past the others. */
  said(name: 'open' | 'close', fields: Readonly<Record<string, unknown>>): void
}

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(CODE).map(([name, code]) => [code, name]),
)

export function createFrameLog(tell: (line: string) => void): FrameLog {
  const write = (channel: number, arrow: string, code: number, fields: FieldList, payloadBytes: number): void => {
    const size = payloadBytes === 0 ? '' : ` (${payloadBytes} bytes)`
    tell(`:${channel} ${arrow} ${NAMES[code] ?? `0x${code.toString(16)}`} ${JSON.stringify(fields, plain)}${size}`)
  }
  return {
    sent(channel, performative, payloadBytes) {
      const { code, fields } = readPerformative(performative, 0, performative.length)
      write(channel, '->', code, fields, payloadBytes)
    },
    said: (name, fields) => tell(`:0 -> ${name} ${JSON.stringify(fields, plain)}`),
    received: (channel, code, fields, payloadBytes) => write(channel, '<-', code, fields, payloadBytes),
  }
}

/** Values that JSON has no form for. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value
}
