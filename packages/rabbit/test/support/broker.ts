import { randomUUID } from 'node:crypto'
import { type SharedRabbit, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { TransportURL } from '@oslo-messaging/core/driver'
import { amqplibClient } from '../../src/client/client.ts'
import type { RabbitDriver } from '../../src/driver.ts'
import { openDriver, type OpenOptions } from './open-driver.ts'

/** The RabbitMQ that all files of a run share; undefined when this machine cannot have one. */
export async function rabbit(): Promise<SharedRabbit | undefined> {
  return await skipOrFail(sharedBroker('rabbit'))
}

/** A driver of the real broker behind the URL. */
export function openReal(url: string, options: OpenOptions = {}): RabbitDriver {
  return openDriver(amqplibClient, { ...options, url: TransportURL.parse(url) })
}

export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`
}
