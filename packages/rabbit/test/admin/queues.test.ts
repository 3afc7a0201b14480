import { describe, expect, it } from 'vitest'
import { judgeQueue, type QueueFacts } from '../../src/admin/queues.ts'

const queue = (facts: Partial<QueueFacts>): QueueFacts => ({
  name: 'q',
  messages: 0,
  bytes: 0,
  consumers: 0,
  exclusive: false,
  expiresMs: null,
  bindingKeys: [],
  ...facts,
})

describe('P24 - which queues are orphans', () => {
  it.each([
    { what: 'one that is read', facts: { consumers: 1, messages: 9, name: 'reply_x' }, orphan: false, why: null },
    {
      what: 'an exclusive one',
      facts: { exclusive: true, messages: 9 },
      orphan: false,
      why: /connection that made it/,
    },
    { what: 'dead letters', facts: { name: 'n.info.dead', messages: 9 }, orphan: false, why: /redrive/ },
    { what: 'waiting copies', facts: { name: 'n.info.retry.500', messages: 9 }, orphan: false, why: /next attempt/ },
    { what: 'an empty reply queue', facts: { name: 'reply_1f' }, orphan: true, why: /client that is gone; it stays/ },
    {
      what: 'a reply queue that ends',
      facts: { name: 'reply_1f', expiresMs: 1_800_000 },
      orphan: true,
      why: /deletes it after 1800 s without use/,
    },
    { what: 'a fanout queue', facts: { name: 'compute_fanout_1f' }, orphan: true, why: /fanout/ },
    { what: 'a fanout stream', facts: { name: 'compute_fanout' }, orphan: true, why: /fanout/ },
    {
      what: 'an empty pool',
      facts: { name: 'billing', bindingKeys: ['n.info', 'n.error'] },
      orphan: true,
      why: /^a pool nobody listens to: every notification of n\.error, n\.info is kept/,
    },
    {
      what: 'a pool over many',
      facts: { name: 'p', bindingKeys: ['e.info', 'd.info', 'c.info', 'b.info', 'a.info'] },
      orphan: true,
      why: /of a\.info, b\.info, c\.info and 2 more is kept/,
    },
    {
      what: 'notifications',
      facts: { name: 'n.info', bindingKeys: ['n.info'] },
      orphan: true,
      why: /^notifications nobody/,
    },
    { what: 'notifications unbound', facts: { name: 'n.error' }, orphan: true, why: /^notifications nobody/ },
    { what: 'requests nobody takes', facts: { name: 'compute', messages: 3 }, orphan: true, why: /nobody reads them/ },
    { what: 'an empty topic', facts: { name: 'compute', bindingKeys: ['compute'] }, orphan: false, why: /it is empty/ },
  ])('$what - orphan: $orphan', ({ facts, orphan, why }) => {
    const judged = judgeQueue(queue(facts))
    expect(judged.orphan).toBe(orphan)
    if (why === null) expect(judged.why).toBeNull()
    else expect(judged.why).toMatch(why)
  })
})
