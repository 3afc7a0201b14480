import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '@oslo-messaging/brokers'
import type { OtherPeer } from './peer-suite.ts'

const READY_WITHIN_MS = 20_000

/** How the addresses of oslo are distributed. The router reads one attribute a line. */
const ADDRESSES = ['rpc', 'notify'].flatMap((service) =>
  Object.entries({ multicast: 'multicast', unicast: 'closest', anycast: 'balanced' }).map(
    ([kind, distribution]) =>
      `address {\n  prefix: openstack.org/om/${service}/${kind}\n  distribution: ${distribution}\n}\n`,
  ),
)

/** Starts the router whose program (`qdrouterd`) is given; it ends with `close`, or with this process. */
export async function startDispatchRouter(program: string): Promise<OtherPeer> {
  const [port = 0] = await freePorts(1)
  const folder = await mkdtemp(path.join(tmpdir(), 'qdrouterd-'))
  const file = path.join(folder, 'qdrouterd.conf')
  const listener = `listener {\n  host: 127.0.0.1\n  port: ${port}\n  role: normal\n  authenticatePeer: no\n  saslMechanisms: ANONYMOUS\n}\n`
  await writeFile(file, `router {\n  mode: standalone\n  id: test\n}\n${listener}${ADDRESSES.join('')}`)
  const child = spawn(program, ['--conf', file], { stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = (): void => void child.kill()
  process.once('exit', stop)
  const until = performance.now() + READY_WITHIN_MS
  while (!(await isListening(port))) {
    if (performance.now() > until || child.exitCode !== null) throw new Error(`${program} does not listen`)
    await sleep(50)
  }
  return {
    url: `amqp://127.0.0.1:${port}/`,
    async close() {
      process.off('exit', stop)
      stop()
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
