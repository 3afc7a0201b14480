import { type AddresserContext, chooseAddresser } from './topic-addresses.ts'
import type { Addressing } from './addressing.ts'
import { createArtemisAddressing } from './artemis-addressing.ts'
import type { PeerConnection } from '../connection/peer-connection.ts'
import { createRabbitAddressing, createRabbitPluginAddressing } from './rabbitmq-addressing.ts'

/** First version of RabbitMQ that speaks AMQP 1.0 by itself. */
const RABBITMQ_NATIVE = 4
const ARTEMIS = 'apache-activemq-artemis'
/** Up to 10.1.0 it looks for the delivery of a settled message among the unsettled ones when both came together, and
 *  closes the socket. */
const BROKER_J = 'Apache Qpid Broker-J'

/** The addressing for `addressing_mode` and the peer: legacy and routable where they are asked for; `dynamic` goes by
 *  the product the peer names. RabbitMQ has nodes for neither, whatever the mode. */
export function chooseAddressing(context: AddresserContext, connection: PeerConnection): Addressing {
  const { product, version } = connection.peer
  if (product === ARTEMIS) return createArtemisAddressing(chooseAddresser(context, connection.peer), connection)
  if (product !== 'RabbitMQ')
    return { ...chooseAddresser(context, connection.peer), settledApart: String(product).startsWith(BROKER_J) }
  return Number.parseInt(String(version), 10) >= RABBITMQ_NATIVE
    ? createRabbitAddressing(context, connection)
    : createRabbitPluginAddressing(context)
}
