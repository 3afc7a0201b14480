// Answers with frames prepared beforehand. Arguments: AMQP URL, topic.
import { serve } from '../child.ts'
import { createPreparedServer } from '../peers/prepared-frames.ts'

const [url = '', topic = ''] = process.argv.slice(2)
const server = await createPreparedServer(url, topic)
serve(() => server.close())
