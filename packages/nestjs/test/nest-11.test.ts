import { vi } from 'vitest'
import { nest11 } from './support/nest-11.ts'
import { describeErrors } from './support/errors-suite.ts'
import { describeNest } from './support/suite.ts'

// The library and the application below import Nest by name; here that is Nest 11.
vi.mock('@nestjs/common', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/common') as object)
vi.mock('@nestjs/core', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/core') as object)
vi.mock(
  '@nestjs/microservices',
  async () => (await import('./support/nest-11.ts')).nest11('@nestjs/microservices') as object,
)
vi.mock('@nestjs/testing', async () => (await import('./support/nest-11.ts')).nest11('@nestjs/testing') as object)

describeNest('11', nest11)
describeErrors('11')
