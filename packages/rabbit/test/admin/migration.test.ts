import { type MigrationSide, TransportURL } from '@oslo-messaging/core/driver'
import { describe, expect, it } from 'vitest'
import { planMigration } from '../../src/admin/migration.ts'
import type { RabbitOptions } from '../../src/config.ts'
import { rabbitOptions } from '../support/open-driver.ts'

const side = (
  options: Partial<RabbitOptions> = {},
  url = 'rabbit://u:secret@a:5672,b:5672/',
): MigrationSide<RabbitOptions> => ({
  url: TransportURL.parse(url),
  options: rabbitOptions(options),
  defaultExchange: 'openstack',
})
const durable = { amqp_durable_queues: true }
const quorum = { rabbit_quorum_queue: true }

describe('the plan of a migration', () => {
  it('of two configurations that declare the same - is nothing, whatever else differs and however the hosts are ordered', () => {
    const to = side({ heartbeat_timeout_threshold: 30 }, 'rabbit://other:word@b:5672,a:5672/')
    expect(planMigration(side(), to)).toMatchObject({ kind: 'nothing', changes: [], steps: [] })
  })

  it('of what only one process uses - one service after the other', () => {
    const plan = planMigration(side(), side({ rabbit_transient_queues_ttl: 600 }))
    expect(plan).toMatchObject({ kind: 'rolling', steps: [{ title: 'Restart' }] })
    expect(plan.changes.map(({ what, effect }) => [what, effect])).toEqual([
      ['queues of fanout', 'own'],
      ['queues of replies', 'own'],
    ])
  })

  it('the same with stable names of queues - a process that comes back meets what it left', () => {
    const stable = { use_queue_manager: true }
    const plan = planMigration(side(stable), side({ ...stable, rabbit_transient_queues_ttl: 600 }))
    expect(plan).toMatchObject({ kind: 'move', changes: [{ effect: 'refused' }, { effect: 'refused' }] })
  })

  it('to quorum queues - a new virtual host, both read, senders switched, drained, switched off', () => {
    const plan = planMigration(side(), side(quorum))
    expect(plan.kind).toBe('move')
    expect(plan.summary).toContain('406')
    expect(plan.changes).toContainEqual({
      what: 'queues of topics',
      before: 'not durable',
      after: 'durable, x-queue-type = quorum',
      effect: 'refused',
    })
    expect(plan.steps.map(({ title }) => title)).toEqual([
      'Make the new place',
      'Read both',
      'Switch the senders',
      'Drain the old place',
      'Switch off',
    ])
    expect(plan.steps[0]?.commands).toContain("rabbitmqctl add_vhost 'next'")
    expect(plan.steps.at(-1)?.commands).toContain("rabbitmqctl delete_vhost '/'")
  })

  it('to durable queues - new services take what is there, so nothing becomes durable', () => {
    const plan = planMigration(side(), side(durable))
    expect(plan).toMatchObject({ kind: 'move', summary: expect.stringContaining('nothing becomes durable') })
    expect(new Set(plan.changes.map(({ effect }) => effect))).toEqual(new Set(['kept']))
  })

  it('to another virtual host or other hosts - is a move between the two, and names both', () => {
    const plan = planMigration(side(), side(quorum, 'rabbit://u:secret@a:5672,b:5672/it%27s'))
    expect(new Set(plan.changes.map(({ effect }) => effect))).toEqual(new Set(['elsewhere']))
    expect(plan.changes[0]).toMatchObject({
      before: 'virtual host / of a:5672,b:5672',
      after: "virtual host it's of a:5672,b:5672",
    })
    expect(plan.steps[0]?.commands).toContain(`rabbitmqctl add_vhost 'it'\\''s'`)
    expect(planMigration(side(), side({}, 'rabbit://a:5672/')).kind).toBe('move')
  })

  it('says no password, and refuses what no driver would open with', () => {
    expect(JSON.stringify(planMigration(side(), side(quorum, 'rabbit://u:secret@c/')))).not.toContain('secret')
    expect(() => planMigration(side(), side({ ...quorum, rabbit_ha_queues: true }))).toThrow('rabbit_ha_queues')
  })
})
