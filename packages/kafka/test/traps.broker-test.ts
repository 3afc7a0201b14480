import { describeTraps } from './suites/traps.ts'

await describeTraps('3.9')
