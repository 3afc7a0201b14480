import { describeClusterKill } from './suites/cluster-kill.ts'

await describeClusterKill('4.4')
