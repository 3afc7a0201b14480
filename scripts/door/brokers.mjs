import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { ExpectedError, exitCodeOf, interruptedBy, onInterrupt, root } from './processes.mjs'

/** Which bus a broker serves, and the variable that carries its URL (DevStack's words). */
const BUSES = {
  rabbit: ['RPC_TRANSPORT_URL'],
  kafka: ['NOTIFY_TRANSPORT_URL'],
}

/** oslo.config's names for the same two options: these win over service.conf. */
const OPTIONS = {
  RPC_TRANSPORT_URL: 'OS_DEFAULT__TRANSPORT_URL',
  NOTIFY_TRANSPORT_URL: 'OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL',
}

/** Starts the named brokers, hands an environment with their URLs to `work`, and stops them whatever happens.
 *  A URL that the environment has already is used as it is, and nothing is started for it. */
export async function withBrokers(names, work) {
  const urls = {}
  for (const variable of Object.keys(OPTIONS)) if (process.env[variable]) urls[variable] = process.env[variable]
  const started = []
  const release = onInterrupt(() => {})
  try {
    for (const name of names) {
      const variables = BUSES[name]
      if (variables === undefined)
        throw new ExpectedError(`--brokers knows ${Object.keys(BUSES).join(' and ')}, not ${JSON.stringify(name)}.`)
      const missing = variables.filter((variable) => urls[variable] === undefined)
      if (missing.length === 0 || interruptedBy() !== undefined) continue
      const { startBroker } = await import(pathToFileURL(join(root, 'brokers/dist/index.js')).href)
      const broker = await startBroker(name)
      started.push(broker)
      for (const variable of missing) urls[variable] = broker.url
    }
    if (interruptedBy() !== undefined) return exitCodeOf(interruptedBy())
    const env = { ...process.env, ...urls }
    for (const [variable, url] of Object.entries(urls)) env[OPTIONS[variable]] ??= url
    return await work(env)
  } finally {
    await Promise.all(started.map((broker) => broker.close()))
    release()
  }
}
