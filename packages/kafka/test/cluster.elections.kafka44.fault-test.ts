import { describeClusterElections } from './suites/cluster-elections.ts'

await describeClusterElections('4.4')
