import { type RabbitBroker, type RabbitOptions, skipOrFail, startBroker } from '@oslo-messaging/brokers'

/** A RabbitMQ that this file may break; undefined when this machine cannot have it. */
export async function ownRabbit(options: RabbitOptions = {}): Promise<RabbitBroker | undefined> {
  return await skipOrFail(startBroker('rabbit', options))
}

/** Versions of the longer runs. `RABBIT_VERSIONS=4.0.5` picks some of them. */
export const VERSIONS: readonly string[] = (process.env['RABBIT_VERSIONS'] ?? '3.10.8,4.0.5,4.3.6').split(',')

/** What `npm run test:rabbit:faults` prints as measured. */
export function tell(text: string): void {
  process.stderr.write(`    ${text}\n`)
}
