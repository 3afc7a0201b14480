import type { Profile, RunOptions, StageParts } from '../frame/profile.ts'
import type { QueueRoom } from '../queues/room.ts'
import { QueueStage } from '../queues/stage.ts'
import { ArtemisRoom } from './artemis-room.ts'
import { RabbitMqRoom } from './rabbit-room.ts'

const RABBITMQ = '4.3'

const on = (variant: string, start: (options: RunOptions) => Promise<QueueRoom>): Profile => ({
  name: 'amqp',
  variant,
  open: async (parts: StageParts) => new QueueStage(await start(parts.options), parts),
})

/** Versions are those of the variant's broker, so `--version` wants `--on`. */
export const profiles: readonly Profile[] = [
  on('artemis', ({ version, short }) => ArtemisRoom.start(version, !short)),
  on('rabbitmq', ({ version = RABBITMQ }) => RabbitMqRoom.start(version, 1)),
  on('rabbitmq-cluster', ({ version = RABBITMQ }) => RabbitMqRoom.start(version, 3)),
]
