import type { RabbitBroker } from '@oslo-messaging/brokers'
import { expect } from 'vitest'

/** Every queue of a virtual host gets a mirror on every node: what `enable_cancel_on_failover` was made for. Gone from
 *  RabbitMQ 4. */
export async function mirror(broker: RabbitBroker, vhost: string): Promise<void> {
  const definition = String.raw`{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}`
  await broker.control.eval(
    `rabbit_policy:parse_set(<<"${vhost}">>,<<"mirrored">>,<<".*">>,<<"${definition}">>,<<"0">>,<<"queues">>,<<"tests">>)`,
  )
}

/** Resolves when each queue could lose its master without losing anything. */
export async function mirrorsAreWhole(broker: RabbitBroker, vhost: string): Promise<void> {
  const fewest =
    'lists:min([length(case proplists:get_value(synchronised_slave_pids,rabbit_amqqueue:info(Q,[synchronised_slave_pids])) of' +
    ` L when is_list(L)->L;_->[] end)||Q<-rabbit_amqqueue:list(<<"${vhost}">>)])`
  const others = String(broker.nodes.length - 1)
  await expect.poll(async () => await broker.control.eval(fewest), { timeout: 60_000 }).toBe(others)
}
