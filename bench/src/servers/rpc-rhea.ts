// Answers with rhea alone. Arguments: transport URL, topic.
import { serve } from '../child.ts'
import { createHandWrittenServer } from '../peers/rhea-rpc.ts'

const [url = '', topic = ''] = process.argv.slice(2)
const server = await createHandWrittenServer(url, topic, 'bench', {
  echo: async (args) => (args as { text: string }).text,
})
serve(() => server.close())
