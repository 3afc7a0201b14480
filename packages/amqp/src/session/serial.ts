/** Sequence numbers of AMQP 1.0 have 32 bits and begin again. Source: AMQP 1.0, part 2.8.10 (RFC 1982). */
export const serial = (number: number): number => number >>> 0

/** How far `to` is ahead of `from`; negative: behind it. */
export const ahead = (from: number, to: number): number => (to - from) | 0
