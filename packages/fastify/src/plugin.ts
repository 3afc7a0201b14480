import { type CloseOptions, getMessaging, Messaging, type MessagingOptions } from '@oslo-messaging/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { httpError } from './http-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Both buses of this service. */
    readonly messaging: Messaging
  }
}

/** Settings of the plugin; everything may be left out. */
export interface MessagingPluginOptions {
  /** Configuration files, URLs and what else `getMessaging` takes; or a `Messaging`, which is drained with the
   *  application, too. */
  readonly messaging?: Messaging | MessagingOptions
  /** How long the end waits for what is being handled. Default 30 s. */
  readonly drain?: CloseOptions
  /** Answer requests that fail with an error of messaging by `httpError`: status by its code, with phase and delivery.
   *  Sets the error handler of the instance. Default false: the application's own handler decides. */
  readonly errorHandler?: boolean
}

const plugin: FastifyPluginAsync<MessagingPluginOptions> = async (fastify, options) => {
  const given = options.messaging ?? {}
  const messaging = given instanceof Messaging ? given : await getMessaging(given)
  fastify.decorate('messaging', messaging)
  // Servers and listeners that plugins made so far listen before the first request comes.
  fastify.addHook('onReady', async () => await messaging.start())
  // Runs when the HTTP server is closed and its requests are answered: until then they may call and notify.
  fastify.addHook('onClose', async () => {
    await messaging.drain(options.drain)
  })
  if (options.errorHandler === true) answerErrors(fastify)
}

function answerErrors(fastify: FastifyInstance): void {
  fastify.setErrorHandler(async (error, request, reply) => {
    const answer = httpError(error)
    // Fastify's own handler takes what is thrown here.
    if (answer === undefined) throw error
    request.log.error({ err: error }, error instanceof Error ? error.message : String(error))
    return await reply.status(answer.statusCode).send(answer)
  })
}

/** The plugin: `await fastify.register(messagingPlugin, { messaging: { configFiles: 'service.conf' } })`. Then
 *  `fastify.messaging` makes servers, clients, notifiers and listeners. They start when the application is ready; when
 *  it closes, requests over HTTP end first, then messages that were taken, then the buses. */
export const messagingPlugin: FastifyPluginAsync<MessagingPluginOptions> = Object.assign(plugin, {
  // What fastify-plugin does: the decorator is the whole application's.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@oslo-messaging/fastify',
  [Symbol.for('plugin-meta')]: { name: '@oslo-messaging/fastify', fastify: '5.x' },
})
