import { runOnRabbitMQ } from './support/rabbitmq-suite.ts'

await runOnRabbitMQ('4.0')
