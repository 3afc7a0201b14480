import { describe, expect, it } from 'vitest'

import { imageVariable } from '../../src/kafka/kafka-docker.ts'
import { kafkaVersion } from '../../src/kafka/kafka-broker.ts'
import { serverSettings } from '../../src/kafka/server-properties.ts'

const node = (base: number) => ({ plain: base, controller: base + 1, proxied: base + 2, advertised: base + 3 })

describe('server.properties', () => {
  it('of one node replicates nothing and sends proxied clients to the port of the proxy', () => {
    const settings = serverSettings({ id: 1, own: node(10), all: [node(10)], data: '/d', extra: {} })
    expect(settings).toMatchObject({
      listeners: 'PLAINTEXT://127.0.0.1:10,PROXIED://127.0.0.1:12,CONTROLLER://127.0.0.1:11',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:10,PROXIED://127.0.0.1:13',
      'controller.quorum.voters': '1@127.0.0.1:11',
      'default.replication.factor': '1',
      'min.insync.replicas': '1',
    })
  })

  it('of three nodes survives the loss of one', () => {
    const all = [node(10), node(20), node(30)]
    expect(serverSettings({ id: 2, own: node(20), all, data: '/d', extra: {} })).toMatchObject({
      'node.id': '2',
      'controller.quorum.voters': '1@127.0.0.1:11,2@127.0.0.1:21,3@127.0.0.1:31',
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
    })
  })

  it('takes the caller at his word', () => {
    const extra = { 'min.insync.replicas': '3', 'auto.create.topics.enable': 'false' }
    expect(serverSettings({ id: 1, own: node(10), all: [node(10)], data: '/d', extra })).toMatchObject(extra)
  })
})

it('the image reads settings from the environment', () => {
  expect(imageVariable('listener.name.sasl_ssl.scram-sha-256.x')).toBe(
    'KAFKA_LISTENER_NAME_SASL__SSL_SCRAM___SHA___256_X',
  )
})

it.each([
  [undefined, '3.9.2'],
  ['3.9', '3.9.2'],
  ['4.4', '4.4.0'],
  ['4.4.0', '4.4.0'],
  ['3.8.1', '3.8.1'],
])('version %s means %s', (asked, version) => {
  expect(kafkaVersion(asked)).toBe(version)
})
