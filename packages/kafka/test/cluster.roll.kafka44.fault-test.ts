import { describeClusterRoll } from './suites/cluster-roll.ts'

await describeClusterRoll('4.4')
