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
})
