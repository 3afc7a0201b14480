/** Ports of one Broker-J. Each authentication provider has a port of its own: no SASL and ANONYMOUS go to the anonymous
 *  one only. */
export interface BrokerJPorts {
  readonly plain: number
  readonly anonymous: number
  readonly http: number
}

/** Virtual hosts that are there from the start. */
export const VIRTUAL_HOSTS: readonly string[] = ['default', 'tenant1']

const deadLetters = JSON.stringify({ destination: 'DLQ' })

/** Senders and receivers make the queues of legacy addresses; senders alone make the exchanges of fanout, because the
 *  broker takes no exchange for a source until it is there. Routable addresses do not work: a name with a slash is read
 *  as an exchange and a key. */
const virtualHost: string = JSON.stringify({
  type: 'ProvidedStore',
  nodeAutoCreationPolicies: [
    {
      pattern: 'broadcast\\..*',
      createdOnPublish: 'true',
      createdOnConsume: 'false',
      nodeType: 'exchange',
      attributes: { type: 'fanout' },
    },
    {
      pattern: '(unicast|exclusive|q|ttl)\\..*',
      createdOnPublish: 'true',
      createdOnConsume: 'true',
      nodeType: 'queue',
      attributes: { maximumDeliveryAttempts: 5, alternateBinding: deadLetters },
    },
    {
      pattern: 'small\\.block\\..*',
      createdOnPublish: 'true',
      createdOnConsume: 'true',
      nodeType: 'queue',
      attributes: { maximumQueueDepthBytes: '20000', overflowPolicy: 'PRODUCER_FLOW_CONTROL' },
    },
  ],
  queues: [{ name: 'DLQ' }],
})

/** The initial configuration file. */
export function configuration(ports: BrokerJPorts): string {
  const port = (name: string, number: number, rest: object): object => ({
    name,
    port: String(number),
    bindingAddress: '127.0.0.1',
    ...rest,
  })
  const amqp = {
    protocols: ['AMQP_1_0'],
    virtualhostaliases: [
      { name: 'd', type: 'defaultAlias' },
      { name: 'h', type: 'hostnameAlias' },
      { name: 'n', type: 'nameAlias' },
    ],
  }
  return JSON.stringify({
    name: 'broker-j-for-tests',
    modelVersion: '9.0',
    authenticationproviders: [
      { name: 'anon', type: 'Anonymous' },
      {
        name: 'plain',
        type: 'Plain',
        secureOnlyMechanisms: [],
        users: [
          { name: 'app', type: 'managed', password: 'secret' },
          { name: 'admin', type: 'managed', password: 'admin' },
        ],
      },
    ],
    ports: [
      port('amqp', ports.plain, { ...amqp, authenticationProvider: 'plain' }),
      port('amqp-anon', ports.anonymous, { ...amqp, authenticationProvider: 'anon' }),
      port('http', ports.http, { protocols: ['HTTP'], authenticationProvider: 'plain' }),
    ],
    virtualhostnodes: VIRTUAL_HOSTS.map((name, index) => ({
      name,
      type: 'DERBY',
      defaultVirtualHostNode: String(index === 0),
      virtualHostInitialConfiguration: virtualHost,
    })),
    plugins: [{ name: 'httpManagement', type: 'MANAGEMENT-HTTP', httpBasicAuthenticationEnabled: true }],
    brokerloggers: [
      {
        name: 'stdout',
        type: 'Console',
        consoleStreamTarget: 'STDOUT',
        brokerloginclusionrules: [{ name: 'Root', type: 'NameAndLevel', level: 'WARN', loggerName: 'ROOT' }],
      },
    ],
  })
}
