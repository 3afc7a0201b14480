export { amqpDriver } from './amqp-driver.ts'
export { type AmqpOptions, amqpConfig } from './config.ts'
