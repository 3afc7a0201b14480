import { type AddresserContext, chooseAddresser } from './addresser.ts'
import type { Addressing } from './addressing.ts'
import type { PeerConnection } from './peer-connection.ts'
import { createRabbitAddressing, createRabbitPluginAddressing } from './rabbitmq/rabbitmq-addressing.ts'

/** First version of RabbitMQ that speaks AMQP 1.0 by itself. */
const RABBITMQ_NATIVE = 4

/** The addressing for `addressing_mode` and the peer: legacy and routable where they are asked for; `dynamic` goes by the product the peer names.
 *  RabbitMQ has nodes for neither, whatever the mode. */
export function chooseAddressing(context: AddresserContext, connection: PeerConnection): Addressing {
  const { product, version } = connection.peer
  if (product !== 'RabbitMQ') return chooseAddresser(context, connection.peer)
  return Number.parseInt(String(version), 10) >= RABBITMQ_NATIVE
    ? createRabbitAddressing(context, connection)
    : createRabbitPluginAddressing(context)
}
