import {
  type Driver,
  type DriverDefinition,
  type IncomingRequest,
  type Listener,
  MessageUndeliverable,
  NO_CAPABILITIES,
  type RPCReply,
  UnsupportedCapability,
} from '@oslo-messaging/core/driver'

/** Hands each request to the one server in the same turn, without bytes, queues or acknowledgements: what a call then
 *  costs is core's own. */
export const directDriver: DriverDefinition = {
  name: 'direct',
  schemes: ['direct'],
  capabilities: { ...NO_CAPABILITIES, rpc: true },
  open(): Driver {
    let deliver: ((request: IncomingRequest) => void) | undefined
    const listener: Listener = {
      closed: Promise.resolve(),
      async stop() {
        deliver = undefined
      },
      async close() {
        deliver = undefined
      },
    }
    return {
      send(_target, request, { waitForReply }) {
        return new Promise<RPCReply | undefined>((resolve, reject) => {
          if (deliver === undefined) {
            reject(new MessageUndeliverable('No server listens'))
            return
          }
          deliver({
            context: request.context,
            message: { ...request.message },
            expectsReply: waitForReply,
            callMonitorTimeout: null,
            acknowledge: () => {},
            async reply(reply) {
              resolve(reply)
            },
            heartbeat: async () => true,
            requeue: () => {},
          })
          if (!waitForReply) resolve(undefined)
        })
      },
      async sendNotification() {
        throw new UnsupportedCapability('notifications', 'direct:// carries no notifications')
      },
      async listen(_target, { onMessage }) {
        deliver = onMessage
        return listener
      },
      async listenForNotifications() {
        throw new UnsupportedCapability('notifications', 'direct:// carries no notifications')
      },
      health: () => ({ status: 'ok', components: [] }),
      async close() {
        deliver = undefined
      },
    }
  },
}
