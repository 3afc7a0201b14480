import { Target } from '@oslo-messaging/core/driver'
import { expect, it } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { cast, oddScene, request, serve } from '../support/scene.ts'

const scene = oddScene()

it('a connection that is lost is told to the log once, with the reason, and so is its return', async () => {
  const peer = await scene.peer()
  const lines: string[] = []
  const tell = (text: string): void => void lines.push(text)
  const logger = { debug: () => {}, info: tell, warn: tell, error: tell }
  const driver = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' }, { logger })
  try {
    await serve(driver, 't')
    for (const connection of peer.connections)
      connection.close({ condition: 'amqp:connection:forced', description: 'by hand' })
    await expect.poll(() => lines.length, { timeout: 5_000 }).toBe(4)
    await driver.send(new Target({ topic: 't' }), request, cast(5_000))
    expect(lines.toSorted()).toEqual([
      'connection amqp is connected again',
      expect.stringMatching(/^connection amqp is recovering: .*amqp:connection:forced: by hand/),
      'listener rpc server t.s is consuming again',
      expect.stringMatching(/^listener rpc server t\.s is recovering: .*by hand/),
    ])
  } finally {
    await driver.close({ signal: AbortSignal.timeout(100) })
  }
})
