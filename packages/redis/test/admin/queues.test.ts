import { createDriverContext } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'
import { listQueues } from '../../src/admin/queues.ts'
import { redisDriver } from '../../src/index.ts'
import { Names } from '../../src/topology/names.ts'

it('a stream or a group that goes while queues are listed has nothing, and the others are listed', async () => {
  const answers = new Map<string, unknown>([
    ['SCAN 0', ['0', ['oslo:rpc:openstack:gone', 'oslo:notify:openstack:n.info']]],
    ['XINFO GROUPS oslo:rpc:openstack:gone', new Error('ERR no such key')],
    ['XINFO GROUPS oslo:notify:openstack:n.info', [['name', 'listeners', 'pending', 1, 'lag', 2]]],
    ['XINFO CONSUMERS oslo:notify:openstack:n.info listeners', new Error('NOGROUP No such consumer group')],
  ])
  const link = {
    ask: async (...words: readonly unknown[]): Promise<unknown> => {
      const question = words.slice(0, words[0] === 'SCAN' ? 2 : undefined).join(' ')
      const answer = answers.get(question)
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  const { options } = createDriverContext(redisDriver)
  const queues = await listQueues(link, new Names('oslo', 'openstack'), options)
  expect(queues).toEqual([
    {
      name: 'oslo:notify:openstack:n.info',
      messages: 3,
      bytes: null,
      consumers: 0,
      orphan: true,
      why: expect.stringContaining('nobody reads them') as string,
    },
  ])
})
