import { describeClusterElections } from './suites/cluster-elections.ts'

await describeClusterElections('3.9')
