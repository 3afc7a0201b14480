import type { BrokerName, HostPort } from '../broker.ts'
import { metadata } from '../kafka/protocol.ts'
import { answersAmqp091, answersAmqp10, answersNats, answersRedis } from '../probe.ts'
import type { RunningBroker } from './state.ts'

const PROBES: Readonly<Record<BrokerName, (at: HostPort) => Promise<boolean>>> = {
  rabbit: answersAmqp091,
  kafka: async (at) => (await metadata(at)) !== undefined,
  artemis: answersAmqp10,
  'broker-j': answersAmqp10,
  nats: answersNats,
  redis: answersRedis,
}

/** One line a broker: name, version, URL, process ids, and whether its protocol answers now. */
export async function statusLines(states: readonly RunningBroker[]): Promise<string[]> {
  return Promise.all(
    states.map(async ({ name, version, url, hosts, pids, source }) => {
      const answers = (await Promise.all(hosts.map((at) => PROBES[name](at)))).every(Boolean)
      const from = source === 'docker' ? 'docker' : `pid ${pids.join(', ')}`
      return `${name.padEnd(8)} ${version.padEnd(8)} ${answers ? 'answers' : 'SILENT '}  ${url}  (${from})`
    }),
  )
}
