import { randomUUID } from 'node:crypto'
import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { describe, expect, it } from 'vitest'
import { doctor } from './support/doctor.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))

describe.skipIf(rabbit === undefined)('oslo-msg doctor on RabbitMQ', () => {
  if (rabbit === undefined) return

  it('a deployment in order - nothing to object but notes, exit code 0', async () => {
    const { code, found, err } = await doctor(await rabbit.vhost())
    expect(found.filter(({ severity }) => severity === 'error' || severity === 'warning')).toEqual([])
    expect(found).toContainEqual(
      expect.objectContaining({
        severity: 'ok',
        check: 'login',
        what: expect.stringContaining('RabbitMQ 3.') as string,
      }),
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    // One broker for both buses is told of once.
    expect(found.filter(({ check }) => check === 'connect')).toHaveLength(1)
  })

  it.each([
    {
      name: 'a wrong password',
      change: (url: string) => url.replace(/:[^:@/]+@/, ':wr0ng@'),
      check: 'login',
      says: /password/i,
    },
    { name: 'no such virtual host', change: (url: string) => `${url}x`, check: 'login', says: /vhost|virtual host/i },
    {
      name: 'a wrong port',
      change: (url: string) => url.replace(/:\d+\//, ':1/'),
      check: 'connect',
      says: /Nothing listens at port 1/,
    },
  ])('$name - names the cause and the remedy, and no password', async ({ change, check, says }) => {
    const { code, found, out } = await doctor(change(await rabbit.vhost()))
    const [worst] = found
    expect(worst).toMatchObject({ severity: 'error', check })
    expect(`${worst?.what} ${worst?.fix}`).toMatch(says)
    expect(worst?.fix).not.toBe('')
    expect(code).toBe(3)
    expect(out).not.toContain('wr0ng')
  })

  it.each(['rabbit', 'kombu'])(
    '--ping %s:// - a call and a notification go there and back, and nothing stays',
    async (scheme) => {
      const url = (await rabbit.vhost()).replace(/^rabbit/, scheme)
      const { code, found } = await doctor(url, {}, '--ping')
      const trips = found.filter(({ check }) => check === 'round-trip')
      expect(trips.map(({ severity, what }) => [severity, what.replace(/[\d.]+/, '#')])).toEqual([
        ['ok', 'A call went there and back in # ms'],
        ['ok', 'A notification went there and back in # ms'],
      ])
      expect(code).toBe(0)
      const { pathname } = new URL(url)
      // That of replies is left to the broker, within a minute: an answer may still be on its way to it.
      const left = await rabbit.control.eval(queuesWithArguments(pathname.slice(1)))
      expect(left).toMatch(/^\[\{"reply_\w+", \[\{"x-expires", \w+, 60000\}\]\}\]$/)
    },
  )

  it('--ping with a user that may declare nothing - says what was refused; without it nothing is declared', async () => {
    const url = await rabbit.vhost()
    const user = `reader-${randomUUID().slice(0, 8)}`
    const vhost = decodeURIComponent(new URL(url).pathname.slice(1))
    await rabbit.control.addUser(user, 'pw', { vhost, configure: '^$', write: '.*', read: '.*' })
    const theirs = url.replace('guest:guest', `${user}:pw`)
    expect((await doctor(theirs)).code).toBe(0)
    const { code, found } = await doctor(theirs, {}, '--ping')
    expect(code).toBe(3)
    expect(found[0]).toMatchObject({ severity: 'error', check: 'round-trip' })
    expect(found[0]?.what).toMatch(/A message did not come back: .*(access|ACCESS|rights|permission)/)
  })
})

/** Names and arguments of all queues. */
function queuesWithArguments(vhost: string): string {
  return `[{binary_to_list(element(4,amqqueue:get_name(Q))),[{binary_to_list(K),T,V}||{K,T,V}<-amqqueue:get_arguments(Q)]}||Q<-rabbit_amqqueue:list(<<"${vhost}">>)]`
}
