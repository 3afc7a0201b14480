import { describeClusterKill } from './suites/cluster-kill.ts'

await describeClusterKill('3.9')
