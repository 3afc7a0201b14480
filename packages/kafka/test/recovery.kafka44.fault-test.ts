import { describeRecovery } from './suites/recovery.ts'

await describeRecovery('4.4')
