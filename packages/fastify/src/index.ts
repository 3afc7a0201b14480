export { messagingPlugin, type MessagingPluginOptions } from './plugin.ts'
export { httpError, type HttpError } from './http-error.ts'
