// Sends numbered notifications from a process whose clock is ahead. Arguments: URL, client library, topic, deadline in
// milliseconds, how far ahead in milliseconds, numbers.
// Prints a line of JSON for each: its number, and the error when it was rejected.
import { Notifier, silentLogger } from '@oslo-messaging/core'
import { clientOf, openBus } from './bus.ts'

const [url = '', client = '', topic = '', timeoutMs = '0', aheadMs = '0', ...numbers] = process.argv.slice(2)
const { now } = Date
Date.now = () => now() + Number(aheadMs)

const bus = await openBus({ url, client: clientOf(client) }, 'before', silentLogger)
const options = {
  publisherId: 'certify',
  driver: 'messagingv2',
  topics: [topic],
  retry: -1,
  timeoutMs: Number(timeoutMs),
}
const notifier = new Notifier(bus, options)
await Promise.all(
  numbers.map(Number).map(async (message) => {
    try {
      await notifier.info({}, 'certify.event', { n: message })
      console.log(JSON.stringify({ message }))
    } catch (error) {
      const { code, phase, delivery, brokerCode } = error as Readonly<Record<string, unknown>>
      console.log(JSON.stringify({ message, error: { code, phase, delivery, brokerCode } }))
    }
  }),
)
await bus.close()
