import type { DynamicModule } from '@nestjs/common'
import {
  createFaults,
  createMemoryDriver,
  createRecorder,
  type Faults,
  type Recorder,
} from '@oslo-messaging/core/testing'
import { OsloMessagingModule, type OsloModuleParts } from './module.ts'

/** The module without a broker, and the levers of the one in the process. */
export interface OsloTestingModule {
  /** Import it instead of `OsloMessagingModule.forRoot(...)`. */
  readonly module: DynamicModule
  /** What was sent. */
  readonly recorder: Recorder
  /** What goes wrong. */
  readonly faults: Faults
}

/** The same module on a broker in the process, of its own. Each call makes another. */
export function createOsloTestingModule(parts: OsloModuleParts = {}): OsloTestingModule {
  const recorder = createRecorder()
  const faults = createFaults()
  const driver = createMemoryDriver({ recorder, faults })
  const registry = { resolve: async () => driver }
  const module = OsloMessagingModule.forRoot({
    ...parts,
    messaging: { url: 'memory://', registry, overrides: { oslo_messaging_notifications: { driver: 'messagingv2' } } },
  })
  return { module, recorder, faults }
}
