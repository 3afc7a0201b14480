import type { Profile, StageParts } from '../frame/profile.ts'
import type { QueueRoom } from '../queues/room.ts'
import { QueueStage } from '../queues/stage.ts'
import { ArtemisRoom } from './artemis-room.ts'
import { RabbitMqRoom } from './rabbit-room.ts'

const RABBITMQ = '4.3'

const on = (variant: string, start: (version: string | undefined) => Promise<QueueRoom>): Profile => ({
  name: 'amqp',
  variant,
  open: async (parts: StageParts) => new QueueStage(await start(parts.options.version), parts),
})

/** Versions are those of the variant's broker, so `--version` wants `--on`. */
export const profiles: readonly Profile[] = [
  on('artemis', (version) => ArtemisRoom.start(version)),
  on('rabbitmq', (version) => RabbitMqRoom.start(version ?? RABBITMQ)),
]
