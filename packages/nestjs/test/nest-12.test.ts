import { createRequire } from 'node:module'
import { describeErrors } from './support/errors-suite.ts'
import { describeNest } from './support/suite.ts'

describeNest('12', createRequire(import.meta.url))
describeErrors('12')
