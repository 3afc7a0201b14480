import { describeRecovery } from './suites/recovery.ts'

await describeRecovery('3.9')
