import { describe, expect, it } from 'vitest'
import { faultOf } from '../../src/platformatic/fault.ts'
import { ClientFault } from '../../src/port/client-port.ts'

const coded = (code: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { code, ...more })

describe('faults of @platformatic/kafka', () => {
  it('the innermost cause says what it is - the system, the broker, or the library itself', () => {
    const refused = coded('PLT_KFK_NETWORK', 'Connection failed', { cause: coded('ECONNREFUSED', 'refused') })
    expect(faultOf(refused)).toMatchObject({ type: 'ECONNREFUSED', message: 'refused', cause: refused })
    expect(faultOf(coded('PLT_KFK_NETWORK', 'Connection closed')).type).toBe('ConnectionClosed')
    const answer = coded('PLT_KFK_RESPONSE', 'Received response with error', {
      errors: [coded('PLT_KFK_PROTOCOL', 'moved', { apiId: 'NOT_LEADER_OR_FOLLOWER' })],
    })
    expect(faultOf(answer).type).toBe('NOT_LEADER_FOR_PARTITION')
  })

  it('a connection that ends in the middle of a login is no wrong password', () => {
    const cut = coded('PLT_KFK_AUTHENTICATION', 'Cannot find a suitable SASL mechanism.', {
      cause: coded('PLT_KFK_NETWORK', 'Connection closed'),
    })
    expect(faultOf(cut).type).toBe('ConnectionClosed')
    expect(faultOf(coded('PLT_KFK_AUTHENTICATION', 'SASL authentication failed.')).type).toBe(
      'SASL_AUTHENTICATION_FAILED',
    )
  })

  it('our own fault on its way through the library stays what it is', () => {
    const own = new ClientFault('Closed', 'The client was closed')
    expect(faultOf(coded('PLT_KFK_NETWORK', 'failed', { cause: own }))).toBe(own)
  })
})
