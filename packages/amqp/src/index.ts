export { amqpDriver, type AmqpSettings, createAmqpDriver } from './definition.ts'
export { type AmqpOptions, amqpConfig } from './config.ts'
export type { FailurePolicy } from './notification-failures.ts'
