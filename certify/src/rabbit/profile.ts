import type { Profile } from '../frame/profile.ts'
import { QueueStage } from '../queues/stage.ts'
import { RabbitRoom } from './room.ts'
import { UpgradeRoom } from './upgrade-room.ts'

const on = (variant: string, nodes: number): Profile => ({
  name: 'rabbit',
  variant,
  open: async (parts) => new QueueStage(await RabbitRoom.start(parts.options.version, nodes), parts),
})

const upgrade: Profile = {
  name: 'rabbit',
  variant: 'upgrade',
  open: async (parts) => new QueueStage(await UpgradeRoom.start(), parts),
}

export const profiles: readonly Profile[] = [on('single', 1), on('cluster', 3), upgrade]
