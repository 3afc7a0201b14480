// Answers with NestJS's RMQ transport. Arguments: AMQP URL, queue.
import { serve } from '../child.ts'
import { createNestServer } from '../peers/nestjs-rmq.ts'

const [url = '', queue = ''] = process.argv.slice(2)
const server = await createNestServer(url, queue, { echo: async (args) => (args as { text: string }).text })
serve(() => server.close())
