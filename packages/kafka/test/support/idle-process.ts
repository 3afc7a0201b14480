// A listener to which nothing comes, in a process of its own. Arguments: URL, topic, seconds. After it has settled it
// prints, as JSON, the connections that were begun and the milliseconds of CPU in so many seconds.
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen, openReal } from './open-driver.ts'

const [url = '', topic = '', seconds = '60'] = process.argv.slice(2)
const SETTLE_MS = 5000

let connections = 0
// eslint-disable-next-line typescript/unbound-method -- It is called with its socket below.
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  connections += 1
  return Reflect.apply(connect, this, args) as net.Socket
}

const driver = await openReal(url)
await listen(driver, topic, { pool: topic })
await sleep(SETTLE_MS)
connections = 0
const before = process.cpuUsage()
await sleep(Number(seconds) * 1000)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ connections, cpuMs: Math.round((user + system) / 1000) }))
await driver.close()
