import { rabbitDriver, createRabbitDriver } from './dist/index.js'
import * as core from '@oslo-messaging/core/driver'
import { readFileSync } from 'node:fs'
export const { Target, Deadline } = core
export const url0 = new URL(readFileSync('/tmp/helper-e/url', 'utf8').trim().replace('rabbit:', 'http:'))
export function mkurl(port = Number(url0.port), vhost = '/') {
  return new core.TransportURL({
    transport: 'rabbit',
    virtualHost: vhost,
    hosts: [new core.TransportHost({ hostname: '127.0.0.1', port, username: 'guest', password: 'guest' })],
  })
}
export function defaults(over = {}) {
  const o = {}
  for (const [k, d] of Object.entries(rabbitDriver.config.options)) o[k] = d.default
  return { ...o, ...over }
}
const logger = process.env.LOG
  ? { debug() {}, info: console.log, warn: console.log, error: console.log }
  : core.silentLogger
export async function open(over = {}, settings = {}, url = mkurl()) {
  return await createRabbitDriver(settings).open(url, {
    options: defaults(over),
    defaultExchange: 'openstack',
    program: 'scratch',
    logger,
    clock: core.systemClock,
    random: Math.random,
  })
}
