import { type Logger, Target, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'
import { amqpDriver } from '../../src/index.ts'
import { cast, oddScene, request } from '../support/scene.ts'

const scene = oddScene()

it('trace = true - every performative of connections, sessions and links is told by its name, both ways, and no body is', async () => {
  const peer = await scene.peer()
  const lines: string[] = []
  const silent = (): void => {}
  const logger: Logger = { debug: (line) => void lines.push(line), info: silent, warn: silent, error: silent }
  const context = createDriverContext(amqpDriver, { logger, options: { trace: true, pre_settled: [] } })
  const driver = await amqpDriver.open(TransportURL.parse(`amqp://127.0.0.1:${peer.port}/`), context)
  const secret = { ...request, message: { method: 'm', args: { secret: 'hidden' } } }
  await driver.send(new Target({ topic: 't' }), secret, cast(5_000))
  await driver.close({ signal: AbortSignal.timeout(1_000) })
  const told = (arrow: string): string[] =>
    lines.flatMap((line) => new RegExp(`${arrow} (\\w+)`).exec(line)?.slice(1) ?? [])
  const ofBoth = ['open', 'close', 'begin', 'attach', 'flow', 'detach', 'end']
  expect(told('->')).toEqual(expect.arrayContaining([...ofBoth, 'transfer']))
  expect(told('<-')).toEqual(expect.arrayContaining([...ofBoth, 'disposition']))
  expect(lines.join('\n')).not.toContain('hidden')
})
