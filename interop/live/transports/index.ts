import { AMQP_ROWS } from './amqp.ts'
import { KAFKA_ROWS } from './kafka.ts'
import { RABBIT_ROWS } from './rabbit.ts'
import type { TransportRow } from './row.ts'

/** The rows of the matrix. */
export const TRANSPORTS: readonly TransportRow[] = [...RABBIT_ROWS, ...AMQP_ROWS, ...KAFKA_ROWS]
