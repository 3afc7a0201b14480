import { InvalidTarget, type IncomingRequest, Target } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { FakeBroker } from '../support/fake-broker.ts'
import { callOptions, castOptions, echo, listenOptions, openDriver } from '../support/open-driver.ts'

const request = { context: {}, message: { method: 'm', args: {} } }
const ignore = (): void => {}

describe('limits of AMQP 0-9-1', () => {
  it.each([
    ['topic', new Target({ topic: 'x'.repeat(256), server: 's' })],
    ['topic in bytes', new Target({ topic: '€'.repeat(86), server: 's' })],
    ['server', new Target({ topic: 't', server: 'x'.repeat(254) })],
    ['exchange', new Target({ topic: 't', server: 's', exchange: 'e'.repeat(256) })],
  ])('a name that is too long is refused at once, by name, and nothing is sent: %s', async (_, target) => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    for (const attempt of [
      () => driver.send(target, request, callOptions()),
      () => driver.send(target, request, castOptions()),
      () => driver.listen(target, listenOptions<IncomingRequest>(ignore)),
    ]) {
      const error: unknown = await attempt().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(InvalidTarget)
      expect((error as Error).message).toMatch(/255 bytes of AMQP: shorten/)
    }
    expect(broker.frames.filter(({ method }) => method === 'basic.publish')).toEqual([])
    await driver.close()
  })

  it('the longest names pass, and a timeout of months expires as late as RabbitMQ can count', async () => {
    const broker = new FakeBroker()
    const driver = openDriver(broker)
    const target = new Target({ topic: 'x'.repeat(215), server: 's' })
    const server = await driver.listen(target, listenOptions<IncomingRequest>(echo))
    await driver.send(new Target({ topic: target.topic }), request, callOptions({ expiresInMs: 2 ** 40 }))
    const [published] = broker.frames.filter(
      ({ method, args }) => method === 'basic.publish' && args['routing_key'] === target.topic,
    )
    expect(JSON.stringify(published)).toContain('"4294967295"')
    await server.close()
    await driver.close()
  })
})
