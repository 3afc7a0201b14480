import { expect, expectTypeOf, it } from 'vitest'
import { NEUTRON, type NeutronNotifications, type NeutronSecurityGroup, readPayload } from '../src/index.ts'

const group = { id: 'g', name: 'web', tenant_id: 't', security_group_rules: [] }

it.each([
  ['create.start', { security_group: { name: null } }],
  ['create.start', { security_groups: [{ name: 'web' }, {}] }],
  ['create.end', { security_group: group }],
  ['create.end', { security_groups: [group] }],
  ['update.start', { id: 'g', security_group: { name: 'db' } }],
  ['update.end', { security_group: group }],
  ['delete.start', { security_group_id: 'g' }],
  ['delete.end', { security_group_id: 'g', security_group: { id: 'g' } }],
])('reads what neutron notifies of a resource: %s %j', (phase, payload) => {
  expect(readPayload(NEUTRON, NEUTRON.events[`security_group.${phase}`] ?? '', payload)).toEqual(payload)
})

it.each([
  ['create.start', { security_group: { name: 1 } }, 'payload.security_group.name: expected string, got number'],
  ['create.end', { security_group: {} }, 'payload.security_group.id: it is missing'],
  ['create.end', { security_groups: group }, 'payload.security_groups: expected @SecurityGroup[], got object'],
  ['update.start', { security_group: {} }, 'payload.id: it is missing'],
  ['update.end', {}, 'payload.security_group: it is missing'],
  ['delete.start', {}, 'payload.security_group_id: it is missing'],
  ['delete.end', { security_group_id: 'g' }, 'payload.security_group: it is missing'],
])('refuses what neutron would not notify of a resource: %s %j', (phase, payload, problem) => {
  expect(() => readPayload(NEUTRON, NEUTRON.events[`security_group.${phase}`] ?? '', payload)).toThrow(problem)
})

it('types the payloads as they are read', () => {
  expectTypeOf<NeutronNotifications['security_group.create.end']['security_groups']>().toEqualTypeOf<
    readonly NeutronSecurityGroup[] | undefined
  >()
  expectTypeOf<NeutronNotifications['security_group.update.start']['id']>().toEqualTypeOf<string>()
  expectTypeOf<NeutronNotifications['port.delete.end']['port']['name']>().toEqualTypeOf<string | null | undefined>()
  expectTypeOf<NeutronNotifications['port.delete.start']>().toEqualTypeOf<{ readonly port_id: string }>()
})
