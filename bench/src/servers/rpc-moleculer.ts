// Answers with Moleculer's AMQP transporter. Arguments: AMQP URL, namespace.
import { serve } from '../child.ts'
import { createMoleculerServer } from '../peers/moleculer-rpc.ts'

const [url = '', namespace = ''] = process.argv.slice(2)
const server = await createMoleculerServer(url, namespace, { echo: async (args) => (args as { text: string }).text })
serve(() => server.close())
