// A listener to which nothing comes, in a process of its own. Arguments: URL, topic, seconds, and `ours` or `plain` for
// one written by hand with kafkajs that asks as often. After it has settled it
// prints, as JSON, the connections that were begun and the milliseconds of CPU in so many seconds.
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TransportURL } from '@oslo-messaging/core/driver'
import { plainClient } from './broker.ts'
import { listen, openReal } from './open-driver.ts'

const [url = '', topic = '', seconds = '60', whose = 'ours'] = process.argv.slice(2)
const SETTLE_MS = 5000

let connections = 0
// eslint-disable-next-line typescript/unbound-method -- It is called with its socket below.
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  connections += 1
  return Reflect.apply(connect, this, args) as net.Socket
}

async function listenPlainly(): Promise<() => Promise<void>> {
  const hosts = TransportURL.parse(url).hosts.map(({ hostname, port }) => ({
    host: hostname ?? '127.0.0.1',
    port: port ?? 9092,
  }))
  const consumer = plainClient({ hosts }).consumer({
    groupId: `${topic}-plain`,
    maxWaitTimeInMs: 1000,
    heartbeatInterval: 1000,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [`${topic}.info`] })
  await consumer.run({ eachMessage: async () => await Promise.resolve() })
  return async () => await consumer.disconnect()
}

async function listenAsWeDo(): Promise<() => Promise<void>> {
  const driver = await openReal(url)
  await listen(driver, topic, { pool: topic })
  return async () => await driver.close()
}

const close = whose === 'plain' ? await listenPlainly() : await listenAsWeDo()
await sleep(SETTLE_MS)
connections = 0
const before = process.cpuUsage()
await sleep(Number(seconds) * 1000)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ connections, cpuMs: Math.round((user + system) / 1000) }))
await close()
