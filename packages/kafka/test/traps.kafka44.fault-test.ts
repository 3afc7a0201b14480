import { describeTraps } from './suites/traps.ts'

await describeTraps('4.4')
