import type { Profile } from '../frame/profile.ts'
import { QueueStage } from '../queues/stage.ts'
import { RabbitRoom } from './room.ts'

const on = (variant: string, nodes: number): Profile => ({
  name: 'rabbit',
  variant,
  open: async (parts) => new QueueStage(await RabbitRoom.start(parts.options.version, nodes), parts),
})

export const profiles: readonly Profile[] = [on('single', 1), on('cluster', 3)]
