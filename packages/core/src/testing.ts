/** Door 3, for tests of applications and of drivers: the in-process driver with a recorder and scripted faults, and a
 *  clock moved by hand. */
export { memoryDriver, type MemoryDriverParts, type MemoryOptions } from './memory/memory-driver.ts'
export { createMemoryBroker, createMemoryDriver } from './memory/create-memory-driver.ts'
export type { MemoryBroker } from './memory/memory-broker.ts'
export type {
  BreakableConnection,
  DeliveryFault,
  MemoryEvent,
  MemoryFaultPlan,
  MemoryRecorder,
  MessageKind,
  PublishFault,
} from './memory/memory-hooks.ts'
export { createRecorder, type EventFilter, type RecordedEvent, type Recorder } from './testing/recorder.ts'
export { createFaults, type Faults, type FaultScope } from './testing/faults.ts'
export { createManualClock, type ManualClock } from './testing/manual-clock.ts'
export { createDriverContext } from './testing/driver-context.ts'
export { type RecordedNotification, recordedNotifications, resetRecordedNotifications } from './notify/drivers/test.ts'
