import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  type OptionalFactoryDependency,
  type Provider,
} from '@nestjs/common'
import {
  getMessaging,
  type GetRPCClientOptions,
  Messaging,
  type MessagingOptions,
  type NotifierOptions,
  type TargetFields,
} from '@oslo-messaging/core'
import { OsloClient } from './client.ts'
import { OsloHealthIndicator } from './health.ts'
import { OsloServer, type OsloServerOptions } from './server.ts'

/** Whom a client calls, and how. */
export interface ClientDefinition extends TargetFields {
  readonly options?: Omit<GetRPCClientOptions, 'clientClass'>
}

/** What is known when the application is written. */
export interface OsloModuleParts {
  /** For the strategy `OsloServer`, which the module provides. */
  readonly server?: OsloServerOptions
  /** Clients by name: `InjectRpcClient(name)` and `InjectClientProxy(name)`. */
  readonly clients?: Readonly<Record<string, ClientDefinition>>
  /** Notifiers by name, for `InjectNotifier(name)`; `default` needs no name there. */
  readonly notifiers?: Readonly<Record<string, NotifierOptions>>
  /** Providers are visible everywhere. Default true. */
  readonly isGlobal?: boolean
}

/** The same, and the buses. */
export interface OsloModuleOptions extends OsloModuleParts {
  /** Configuration files, URLs and all else that `getMessaging` takes. */
  readonly messaging?: MessagingOptions
}

/** The same, with buses that need other providers, such as a ConfigService. */
export interface OsloModuleAsyncOptions extends OsloModuleParts {
  readonly imports?: NonNullable<DynamicModule['imports']>
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[]
  readonly useFactory: (...injected: never[]) => MessagingOptions | Promise<MessagingOptions>
}

/** Token of the typed client of that name. */
export const rpcClientToken = (name: string): string => `oslo-messaging:client:${name}`
/** Token of the client in Nest's style of that name. */
export const clientProxyToken = (name: string): string => `oslo-messaging:proxy:${name}`
/** Token of the notifier of that name. */
export const notifierToken = (name = 'default'): string => `oslo-messaging:notifier:${name}`

type InjectDecorator = PropertyDecorator & ParameterDecorator

/** An `RPCClient` with promises: `constructor(@InjectRpcClient('compute') readonly compute: RPCClient<Compute>)`. */
export const InjectRpcClient = (name: string): InjectDecorator => Inject(rpcClientToken(name))
/** An `OsloClient`: Nest's ClientProxy, with observables. */
export const InjectClientProxy = (name: string): InjectDecorator => Inject(clientProxyToken(name))
/** A `Notifier`. */
export const InjectNotifier = (name?: string): InjectDecorator => Inject(notifierToken(name))

/** Ends both buses when the application ends: after the servers of all transports were closed and every
 *  `onModuleDestroy` was done. */
class MessagingEnd {
  readonly #messaging: Messaging
  constructor(messaging: Messaging) {
    this.#messaging = messaging
  }
  async onApplicationShutdown(): Promise<void> {
    await this.#messaging.drain()
  }
}

/** Provides `Messaging` (both buses as one object), `OsloServer` (the strategy), `OsloHealthIndicator`, and the clients
 *  and notifiers that are named. */
// oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows a module by its class
export class OsloMessagingModule {
  static forRoot({ messaging = {}, ...parts }: OsloModuleOptions = {}): DynamicModule {
    return OsloMessagingModule.forRootAsync({ ...parts, useFactory: () => messaging })
  }

  static forRootAsync(options: OsloModuleAsyncOptions): DynamicModule {
    const { server = {}, clients = {}, notifiers = {}, isGlobal = true, imports = [], inject = [] } = options
    const make = async (...injected: never[]): Promise<Messaging> =>
      await getMessaging(await options.useFactory(...injected))
    const of = (provide: InjectionToken, useFactory: (messaging: Messaging) => unknown): Provider => ({
      provide,
      useFactory,
      inject: [Messaging],
    })
    const shown = [
      of(OsloServer, (messaging) => new OsloServer(messaging, server)),
      of(OsloHealthIndicator, (messaging) => new OsloHealthIndicator(messaging)),
      ...Object.entries(clients).flatMap(([name, { options: settings, ...target }]) => [
        of(rpcClientToken(name), (messaging) => messaging.client(target, settings)),
        of(clientProxyToken(name), (messaging) => new OsloClient(messaging, { target })),
      ]),
      ...Object.entries(notifiers).map(([name, settings]) =>
        of(notifierToken(name), (messaging) => messaging.notifier(settings)),
      ),
    ]
    return {
      module: OsloMessagingModule,
      global: isGlobal,
      imports,
      providers: [
        { provide: Messaging, useFactory: make, inject },
        of(MessagingEnd, (messaging) => new MessagingEnd(messaging)),
        ...shown,
      ],
      exports: [Messaging, ...shown.map(tokenOf)],
    }
  }
}

function tokenOf(provider: Provider): InjectionToken {
  return typeof provider === 'function' ? provider : provider.provide
}
