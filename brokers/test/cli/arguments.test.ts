import { describe, expect, it } from 'vitest'

import { readArguments, UsageError } from '../../src/cli/arguments.ts'
import { serviceConf } from '../../src/cli/service-conf.ts'

describe('the command line', () => {
  it.each([
    ['up', { command: 'up', names: [], rpc: undefined, notify: undefined }],
    ['up kafka artemis', { names: ['kafka', 'artemis'] }],
    ['up --rpc rabbit --notify kafka', { rpc: 'rabbit', notify: 'kafka' }],
    ['up --rpc amqp', { rpc: 'artemis' }],
    [
      'up amqp --version rabbit=4.0 --version kafka=4.4.0',
      { names: ['artemis'], versions: { rabbit: '4.0', kafka: '4.4.0' } },
    ],
    ['down rabbit', { command: 'down', names: ['rabbit'] }],
    ['', { command: 'help' }],
    ['up --help', { command: 'help' }],
  ])('%s', (line, expected) => {
    expect(readArguments(line.split(' ').filter((word) => word !== ''))).toMatchObject(expected)
  })

  it.each([
    ['start', 'No command start'],
    ['up mqtt', 'No broker mqtt: say rabbit, kafka, artemis, broker-j, nats or redis'],
    ['up --rpc kafka', '--rpc kafka: say rabbit, amqp, nats, redis (Kafka carries notifications only)'],
    ['up --notify artemis', '--notify artemis: say kafka, rabbit, amqp'],
    ['up --version 4.0', '--version wants NAME=VERSION, rabbit=4.0 for example, not 4.0'],
    ['up --quickly', 'quickly'],
  ])('%s - is refused with what would do', (line, message) => {
    expect(() => readArguments(line.split(' '))).toThrow(UsageError)
    expect(() => readArguments(line.split(' '))).toThrow(message)
  })
})

it('service.conf sends calls over one broker and notifications over the other', () => {
  expect(serviceConf({ rpc: 'rabbit://a/', notify: 'kafka://b/' })).toBe(
    '[DEFAULT]\ntransport_url = rabbit://a/\n\n[oslo_messaging_notifications]\ndriver = messagingv2\ntransport_url = kafka://b/\n',
  )
})
