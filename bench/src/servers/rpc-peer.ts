// Answers with amqplib alone. Arguments: AMQP URL, topic.
import { serve } from '../child.ts'
import { createHandWrittenServer } from '../peers/amqplib-rpc.ts'

const [url = '', topic = ''] = process.argv.slice(2)
const server = await createHandWrittenServer(url, topic, 'bench', {
  echo: async (args) => (args as { text: string }).text,
})
serve(() => server.close())
