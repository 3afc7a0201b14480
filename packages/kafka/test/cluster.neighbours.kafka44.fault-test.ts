import { describeClusterNeighbours } from './suites/cluster-neighbours.ts'

await describeClusterNeighbours('4.4')
