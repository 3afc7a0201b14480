import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { ExpectedError, exitCodeOf, interruptedBy, onInterrupt, root } from './processes.mjs'

/** What each word after `--brokers` starts, and the variable that carries its URL (DevStack's words). */
const BUSES = {
  rabbit: { broker: 'rabbit', variable: 'RPC_TRANSPORT_URL' },
  amqp: { broker: 'artemis', variable: 'RPC_TRANSPORT_URL' },
  kafka: { broker: 'kafka', variable: 'NOTIFY_TRANSPORT_URL' },
}

/** oslo.config's names for the same two options: these win over service.conf. */
const OPTIONS = {
  RPC_TRANSPORT_URL: 'OS_DEFAULT__TRANSPORT_URL',
  NOTIFY_TRANSPORT_URL: 'OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL',
}

function busOf(name) {
  if (Object.hasOwn(BUSES, name)) return BUSES[name]
  throw new ExpectedError(`--brokers knows ${Object.keys(BUSES).join(', ')}, not ${JSON.stringify(name)}.`)
}

/** Starts the named brokers, hands an environment with their URLs to `work`, and stops them whatever happens.
 *  A URL that the environment has already is used as it is, and nothing is started for it. */
export async function withBrokers(names, work) {
  const urls = {}
  for (const variable of Object.keys(OPTIONS)) if (process.env[variable]) urls[variable] = process.env[variable]
  const started = []
  // A signal is waited out here: what has been started must be stopped as well.
  const release = onInterrupt(() => {})
  try {
    const wanted = names.filter((name) => urls[busOf(name).variable] === undefined)
    if (wanted.length > 0) {
      const { startBroker } = await import(pathToFileURL(join(root, 'brokers/dist/index.js')).href)
      console.log(`> starting ${wanted.join(' and ')}`)
      const starts = await Promise.allSettled(wanted.map((name) => startBroker(busOf(name).broker)))
      for (const [index, start] of starts.entries()) {
        if (start.status === 'rejected') continue
        started.push(start.value)
        const { version, hosts } = start.value
        console.log(`> ${wanted[index]} ${version} on ${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}`)
        urls[busOf(wanted[index]).variable] ??= start.value.url
      }
      const failures = starts.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
      if (failures.length > 0) throw new ExpectedError(failures.map(({ message }) => message).join('\n'))
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
