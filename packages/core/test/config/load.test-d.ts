import { expectTypeOf, it } from 'vitest'
import type { ConfigFragment, ResolvedOptions } from '../../src/driver.ts'
import { loadConfig, type MessagingConfig } from '../../src/index.ts'
import { widgetConfig } from './widget.ts'

declare const conf: MessagingConfig

it('get - has the type of the option', () => {
  expectTypeOf(conf.get('DEFAULT', 'rpc_response_timeout')).toEqualTypeOf<number>()
  expectTypeOf(conf.get('DEFAULT', 'rpc_ping_enabled')).toEqualTypeOf<boolean>()
  expectTypeOf(conf.get('oslo_messaging_notifications', 'transport_url')).toEqualTypeOf<string | null>()
  expectTypeOf(conf.get('oslo_messaging_notifications', 'topics')).toEqualTypeOf<readonly string[]>()
  // @ts-expect-error no such option
  conf.get('DEFAULT', 'topics')
  // @ts-expect-error a group of a driver
  conf.get('oslo_messaging_rabbit', 'ssl')
})

it('resolve - has the types of the fragment', () => {
  const options = conf.resolve(widgetConfig)
  expectTypeOf(options.count).toEqualTypeOf<number>()
  expectTypeOf(options.names).toEqualTypeOf<readonly string[]>()
  expectTypeOf(options.pairs).toEqualTypeOf<Readonly<Record<string, string>> | null>()
  // @ts-expect-error no such option
  expectTypeOf(options.cuont)
  expectTypeOf(conf.resolve({} as ConfigFragment)).toExtend<ResolvedOptions>()
})

it('overrides - has the groups and options of core, and any options of drivers', () => {
  expectTypeOf(loadConfig).toBeCallableWith({
    overrides: {
      DEFAULT: { transport_url: 'memory://', rpc_response_timeout: 5, executor_thread_pool_size: '7' },
      oslo_messaging_notifications: { driver: ['messagingv2'], topics: ['a'], transport_url: undefined },
      oslo_messaging_rabbit: { heartbeat_rate: 3, anything: true },
    },
  })
  // @ts-expect-error misspelt
  void loadConfig({ overrides: { DEFAULT: { transport_ulr: 'memory://' } } })
  // @ts-expect-error no such group
  void loadConfig({ overrides: { notifications: { driver: ['messagingv2'] } } })
  // @ts-expect-error no such option
  void loadConfig({ overrides: { oslo_messaging_notifications: { drivers: ['messagingv2'] } } })
})
