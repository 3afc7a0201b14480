// Answers with the library, and any task with the CPU time it has used, in microseconds. Arguments: transport URL,
// topic, and `recorded` or `unrecorded` for a server with spans.
import { amqpDriver } from '@oslo-messaging/amqp'
import { createDriverRegistry, getRpcServer, getRpcTransport, loadConfig, Target } from '@oslo-messaging/core'
import { rabbitDriver } from '@oslo-messaging/rabbit'
import { serve } from '../child.ts'
import { trace } from '../traced.ts'

class Echo {
  echo(_context: object, { text }: { text: string }): string {
    return text
  }
}

const [url = '', topic = '', tracing] = process.argv.slice(2)
const registry = createDriverRegistry({ drivers: [rabbitDriver, amqpDriver], discover: false })
const transport = await getRpcTransport(await loadConfig(), { url, registry })
if (tracing !== undefined) trace(transport, tracing === 'recorded')
const server = getRpcServer(transport, new Target({ topic, server: 'bench' }), [new Echo()])
await server.start()
serve(
  async () => {
    await server.stop()
    await server.wait()
    await transport.close()
  },
  async () => {
    const { user, system } = process.cpuUsage()
    return user + system
  },
)
