/** Version of the semantic conventions whose names are used. Those of messaging are not stable yet, so they are written
 *  down here instead of changing with a dependency. */
export const SEMANTIC_CONVENTIONS = '1.40.0'

/** Names of attributes. */
export const ATTRIBUTE = {
  system: 'messaging.system',
  operationType: 'messaging.operation.type',
  operationName: 'messaging.operation.name',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  batchSize: 'messaging.batch.message_count',
  rpcMethod: 'rpc.method',
  errorType: 'error.type',
} as const

/** Names that the conventions do not have: those that Python's library uses, and our own. */
export const OWN_ATTRIBUTE = {
  rpcService: 'rpc.service',
  requestId: 'openstack.request_id',
  priority: 'oslo_messaging.priority',
  eventType: 'oslo_messaging.event_type',
  version: 'oslo_messaging.version',
  outcome: 'oslo_messaging.outcome',
  redelivered: 'oslo_messaging.redelivered',
} as const

/** Names of metrics. Durations are histograms of seconds, the others count messages. */
export const METRIC = {
  operationDuration: 'messaging.client.operation.duration',
  sent: 'messaging.client.sent.messages',
  consumed: 'messaging.client.consumed.messages',
  processDuration: 'messaging.process.duration',
} as const

/** What the conventions call a broker. Drivers of others go by their own names. */
export function systemOf(driver: string): string {
  return driver === 'rabbit' ? 'rabbitmq' : driver
}
