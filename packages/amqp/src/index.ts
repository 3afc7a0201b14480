export { amqpDriver, amqpDriver as default, createAmqpDriver } from './definition.ts'
export { type AmqpOptions, amqpConfig } from './config.ts'
export type { AmqpSettings } from './settings.ts'
