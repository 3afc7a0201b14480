import { type AddresserContext, chooseAddresser } from './addresser.ts'
import type { Addressing } from './addressing.ts'
import type { PeerConnection } from './peer-connection.ts'

/** The addressing for `addressing_mode` and the peer: legacy and routable where they are asked for; `dynamic` goes by the product the peer names. */
export function chooseAddressing(context: AddresserContext, connection: PeerConnection): Addressing {
  return chooseAddresser(context, connection.peer)
}
