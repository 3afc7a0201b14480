import { createRequire } from 'node:module'
import { describeNest } from './support/suite.ts'

describeNest('12', createRequire(import.meta.url))
