import { randomUUID } from 'node:crypto'
import {
  type BrokerAdmin,
  getNotificationListener,
  getNotificationTransport,
  getNotifier,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type MessagingConfig,
} from '@oslo-messaging/core'
import { isRabbit, type Opening } from '../broker/connect.ts'
import { errorText } from '../text/error-text.ts'
import type { BusToExamine } from './bus.ts'
import type { Findings } from './finding.ts'

const SLOW_MS = 500
const CLOSE_MS = 2000

/** Sends a message of its own over queues of its own there and back, and takes the queues away: whether this user may
 *  declare, send and read, and how long it takes. */
export async function examineRoundTrip(
  bus: BusToExamine,
  conf: MessagingConfig,
  admin: BrokerAdmin,
  opening: Opening & { readonly url: string },
  label: string,
  findings: Findings,
): Promise<void> {
  const topic = `oslo-msg-doctor-${randomUUID().slice(0, 8)}`
  const [send, queues] = bus.kind === 'rpc' ? [call, [topic, `${topic}.doctor`]] : [notify, [`${topic}.info`]]
  if (bus.kind === 'notifications' && !admin.removesPools) {
    findings.add('note', 'round-trip', label, 'Not tried: this driver could not take its topic away again')
    return
  }
  try {
    const ms = await send(conf, bus.timeoutMs, opening, topic)
    const what = `A ${bus.kind === 'rpc' ? 'call' : 'notification'} went there and back in ${ms.toFixed(1)} ms`
    if (ms <= SLOW_MS) findings.add('ok', 'round-trip', label, what)
    else
      findings.add(
        'warning',
        'round-trip',
        label,
        what,
        'Every call takes at least as long.',
        'Look at the load of the broker, its disk (quorum queues wait for it) and the network between.',
      )
  } catch (error) {
    findings.add(
      'error',
      'round-trip',
      label,
      `A message did not come back: ${errorText(error)}`,
      'Services cannot do their work with this URL.',
      'The message names what was refused; oslo-msg topology --format permissions prints the rights that are needed.',
    )
  }
  if (!isRabbit(bus.url)) return
  try {
    for (const queue of queues) await admin.removePool(queue, { timeoutMs: bus.timeoutMs })
  } catch (error) {
    findings.add(
      'note',
      'round-trip',
      label,
      `The queues ${queues.join(', ')} could not be removed: ${errorText(error)}`,
      'They stay, empty.',
      'Delete them by hand.',
    )
  }
}

type Trip = (
  conf: MessagingConfig,
  timeoutMs: number,
  opening: Opening & { readonly url: string },
  topic: string,
) => Promise<number>

const call: Trip = async (conf, timeoutMs, opening, topic) => {
  const transport = await getRpcTransport(conf, opening)
  try {
    const server = getRpcServer(transport, { topic, server: 'doctor' }, [{ answer: () => 1 }])
    await server.start({ timeoutMs })
    const client = getRpcClient(transport, { topic }, { timeoutMs })
    // The first one declares and connects.
    await client.call({}, 'answer', {})
    const begun = performance.now()
    await client.call({}, 'answer', {})
    const ms = performance.now() - begun
    await server.stop({ timeoutMs: CLOSE_MS })
    await server.wait({ timeoutMs: CLOSE_MS })
    return ms
  } finally {
    await transport.close({ timeoutMs: CLOSE_MS })
  }
}

const notify: Trip = async (conf, timeoutMs, opening, topic) => {
  const transport = await getNotificationTransport(conf, opening)
  try {
    let arrived: (() => void) | undefined
    const listener = getNotificationListener(transport, [{ topic }], [{ info: () => arrived?.() }])
    await listener.start({ timeoutMs })
    const notifier = getNotifier(transport, {
      publisherId: 'oslo-msg',
      driver: 'messagingv2',
      topics: [topic],
      timeoutMs,
    })
    const trip = async (): Promise<void> => {
      const coming = new Promise<void>((resolve, reject) => {
        arrived = resolve
        setTimeout(() => reject(new Error(`nothing was delivered within ${timeoutMs} ms`)), timeoutMs).unref()
      })
      // Both at once: of two that fail neither may be left without anybody who waits for it.
      await Promise.all([notifier.info({}, 'oslo-msg.doctor', {}), coming])
    }
    await trip()
    const begun = performance.now()
    await trip()
    const ms = performance.now() - begun
    await listener.stop({ timeoutMs: CLOSE_MS })
    await listener.wait({ timeoutMs: CLOSE_MS })
    return ms
  } finally {
    await transport.close({ timeoutMs: CLOSE_MS })
  }
}
