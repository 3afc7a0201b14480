import { describeClusterRoll } from './suites/cluster-roll.ts'

await describeClusterRoll('3.9')
