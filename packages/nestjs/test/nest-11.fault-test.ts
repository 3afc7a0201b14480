import { vi } from 'vitest'
import { describeDraining } from './support/draining.ts'
import { describeOnBrokers } from './support/on-brokers.ts'

// The library and the application below import Nest by name; here that is Nest 11.
vi.mock('@nestjs/common', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/common') as object)
vi.mock('@nestjs/core', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/core') as object)
vi.mock(
  '@nestjs/microservices',
  async () => (await import('./support/nest-11.ts')).nest11('@nestjs/microservices') as object,
)
vi.mock('@nestjs/testing', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/testing') as object)

describeOnBrokers('11')
describeDraining('11')
