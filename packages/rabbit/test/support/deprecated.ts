import type { RabbitControl } from '@oslo-messaging/brokers'
import type { RabbitOptions } from '../../src/config.ts'

/** rabbitmq.conf of RabbitMQ 4.x as its authors ship it from 4.3 on: queues that are neither durable nor exclusive are
 *  refused with 541. */
export const WITHOUT_TRANSIENT_QUEUES = { 'deprecated_features.permit.transient_nonexcl_queues': 'false' } as const

/** The options in which nothing is declared that RabbitMQ 4.x calls deprecated: durable shared queues, and quorum
 *  queues with an expiry for replies and fanout. The first must equal the other services of the deployment; the second
 *  is this process's own affair. */
export const DURABLE_PROFILE = {
  amqp_durable_queues: true,
  rabbit_transient_quorum_queue: true,
} as const satisfies Partial<RabbitOptions>

/** The same with quorum queues for everything. */
export const QUORUM_PROFILE = {
  rabbit_quorum_queue: true,
  rabbit_transient_quorum_queue: true,
} as const satisfies Partial<RabbitOptions>

/** Names of the deprecated features in use on the broker, sorted. RabbitMQ 3.10 has no such list. */
export async function deprecatedFeaturesInUse(control: RabbitControl): Promise<readonly string[]> {
  const printed = await control.eval('lists:sort(maps:keys(rabbit_deprecated_features:list(used)))')
  return printed.match(/[a-z_0-9]+/g) ?? []
}
