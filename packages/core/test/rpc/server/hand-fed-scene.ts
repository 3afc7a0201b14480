import type { IncomingRequest, RPCReply } from '../../../src/driver/messages.ts'
import { createScene } from '../scene.ts'

/** A driver whose listener is fed by hand. */
export async function createHandFedScene() {
  let deliver: (request: IncomingRequest) => void = () => {}
  const replies: RPCReply[] = []
  const log: string[] = []
  const fed = await createScene({
    driver: (memory) => ({
      ...memory,
      open: async (url, context) => {
        const driver = await memory.open(url, context)
        driver.listen = async (_target, options) => {
          log.push(`prefetch ${options.prefetch}`)
          deliver = options.onMessage
          return {
            closed: new Promise(() => {}),
            stop: async () => void log.push('stop'),
            close: async () => void log.push('close'),
          }
        }
        return driver
      },
    }),
  })
  const request = (message: Record<string, unknown>, changes: Partial<IncomingRequest> = {}): IncomingRequest => ({
    context: {},
    message,
    expectsReply: true,
    callMonitorTimeout: null,
    acknowledge: () => void log.push(`ack ${nameOf(message['method'])}`),
    reply: async (reply) => void replies.push(reply),
    heartbeat: async () => true,
    requeue: () => void log.push(`requeue ${String(message['method'])}`),
    ...changes,
  })
  return { fed, log, replies, deliver: (message: IncomingRequest) => deliver(message), request }
}

/** A method as text; what arrives may be an object that cannot be turned into one. */
function nameOf(method: unknown): string {
  return typeof method === 'string' ? method : typeof method
}
