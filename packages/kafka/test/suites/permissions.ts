import { type Admin, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'
import { expect, it } from 'vitest'
import type { KafkaBroker } from '@oslo-messaging/brokers'
import type { Driver } from '@oslo-messaging/core/driver'
import { unique, withAdmin } from '../support/broker.ts'
import { eventually, listen, openReal, send } from '../support/open-driver.ts'

/** What a user without this or that permission sees. The broker knows bob and carol, at this port with SASL PLAIN, and
 *  lets them do nothing. */
export function permissionTests(broker: KafkaBroker, saslPort: number): void {
  type Rule = Parameters<Admin['createAcls']>[0]['acl'][number]

  const ruleFor = (who: string, facts: Pick<Rule, 'resourceType' | 'resourceName' | 'operation'>): Rule => ({
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${who}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    ...facts,
  })

  async function allow(...acl: Rule[]): Promise<void> {
    await withAdmin(broker, async (admin) => await admin.createAcls({ acl }))
  }

  const onTopic = (who: string, name: string, operation = AclOperationTypes.ALL): Rule =>
    ruleFor(who, { resourceType: AclResourceTypes.TOPIC, resourceName: name, operation })
  const onGroup = (who: string, name: string): Rule =>
    ruleFor(who, { resourceType: AclResourceTypes.GROUP, resourceName: name, operation: AclOperationTypes.ALL })

  /** Tries until the broker acts on its rules; the last outcome. */
  async function whenAllowed<T>(attempt: () => Promise<T>): Promise<T> {
    for (const until = Date.now() + 5000; ;) {
      try {
        return await attempt()
      } catch (error) {
        if (Date.now() > until) throw error
      }
    }
  }

  const openAs = async (who: string): Promise<Driver> =>
    await openReal(`kafka://${who}:${who}-secret@127.0.0.1:${saslPort}/`, {
      options: { security_protocol: 'SASL_PLAINTEXT' },
    })
  const TOPIC_DENIED = { code: 'OSLO_MESSAGING_AUTHENTICATION', brokerCode: 'TOPIC_AUTHORIZATION_FAILED' }

  it('error row: no topic ACL - AuthenticationError for that topic only', async () => {
    const driver = await openAs('bob')
    const open = unique('open')
    await broker.createTopics([`${open}.info`])
    await allow(onTopic('bob', `${open}.info`))
    await whenAllowed(async () => await send(driver, `${open}.info`, 0))
    const [allowed, denied] = await Promise.allSettled([
      send(driver, `${open}.info`, 1),
      send(driver, `${unique('closed')}.info`, 1),
    ])
    expect(allowed).toEqual({ status: 'fulfilled', value: undefined })
    expect((denied as PromiseRejectedResult).reason).toMatchObject(TOPIC_DENIED)
    await expect(listen(driver, unique('closed'))).rejects.toMatchObject(TOPIC_DENIED)
    await driver.close()
  })

  it('error row: no topic ACL but DESCRIBE - sending rejects, and so does listening once it has joined', async () => {
    const driver = await openAs('bob')
    const topic = unique('described')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`, AclOperationTypes.DESCRIBE), onGroup('bob', pool))
    await expect(send(driver, `${topic}.info`, 1)).rejects.toMatchObject({ ...TOPIC_DENIED, delivery: 'not-sent' })
    const ending = (async () => (await listen(driver, topic, { pool })).listener.closed)()
    await expect(ending).rejects.toMatchObject(TOPIC_DENIED)
    await driver.close()
  })

  it('error row: create topics refused - sending to a missing topic rejects', async () => {
    const driver = await openAs('bob')
    const topic = unique('uncreated')
    await allow(
      onTopic('bob', `${topic}.info`, AclOperationTypes.WRITE),
      onTopic('bob', `${topic}.info`, AclOperationTypes.DESCRIBE),
    )
    const error: unknown = await send(driver, `${topic}.info`, 1, { timeoutMs: 20_000 }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({
      brokerCode: expect.stringMatching(/^(TOPIC_AUTHORIZATION_FAILED|UNKNOWN_TOPIC_OR_PARTITION)$/) as string,
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('error row: idempotent without ACL - what the user lacks is said, and it is not the idempotence', async () => {
    const driver = await openAs('carol')
    await expect(send(driver, `${unique('closed')}.info`, 1)).rejects.toMatchObject({
      ...TOPIC_DENIED,
      delivery: 'not-sent',
    })
    await driver.close()
  })

  it('error row: no group ACL - listen rejects with AuthenticationError', async () => {
    const driver = await openAs('bob')
    const topic = unique('open')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`))
    await whenAllowed(async () => await send(driver, `${topic}.info`, 0))
    await expect(listen(driver, topic, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'OSLO_MESSAGING_AUTHENTICATION',
      brokerCode: 'GROUP_AUTHORIZATION_FAILED',
    })
    await driver.close()
  })

  it('P11 a permission is taken away from a listener at work - health says so, and it goes on by itself when it is given back', async () => {
    const driver = await openAs('bob')
    const topic = unique('taken')
    const pool = unique('pool')
    await broker.createTopics([`${topic}.info`])
    await allow(onTopic('bob', `${topic}.info`), onGroup('bob', pool))
    const received = await whenAllowed(async () => await listen(driver, topic, { pool }))
    await send(driver, `${topic}.info`, 1)
    await received.until(1)
    await withAdmin(broker, async (admin) => {
      const { resourceName, ...rule } = onTopic('bob', `${topic}.info`)
      await admin.deleteAcls({ filters: [{ ...rule, resourceName }] })
    })
    const isDenied = (): boolean =>
      driver
        .health()
        .components.some(
          ({ state, reason }) => state === 'recovering' && reason?.includes(TOPIC_DENIED.brokerCode) === true,
        )
    await eventually(isDenied, 'recovering because of the permission', 30_000)
    await allow(onTopic('bob', `${topic}.info`))
    await whenAllowed(async () => await send(driver, `${topic}.info`, 2))
    await received.until(2, 40_000)
    expect(received.payloads).toEqual([1, 2])
    await driver.close()
  })
}
