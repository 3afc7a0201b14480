export { amqpConfig, type AmqpOptions } from './config.ts'
