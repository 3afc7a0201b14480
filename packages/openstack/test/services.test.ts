import { expect, it } from 'vitest'
import { openstackTarget, SERVICES } from '../src/index.ts'

it('gives the target of an interface', () => {
  expect(openstackTarget('nova', 'compute_task')).toEqual({
    exchange: 'nova',
    topic: 'conductor',
    namespace: 'compute_task',
    version: '1.26',
  })
  expect(openstackTarget('cinder', 'volume')).toMatchObject({ exchange: 'openstack', topic: 'cinder-volume' })
})

it('names the interfaces there are when asked for another', () => {
  expect(() => openstackTarget('heat', 'api')).toThrow('known are engine')
  expect(() => openstackTarget('keystone', 'notifications')).toThrow('no service with RPC')
})

it('every row says where each of its facts was read', () => {
  for (const row of SERVICES) {
    const facts = ['exchange', 'topic', 'namespace', 'version'].filter((name) => row[name as keyof typeof row] !== null)
    expect(row.sources.map((source) => source.split(':')[0])).toEqual(facts)
  }
})
