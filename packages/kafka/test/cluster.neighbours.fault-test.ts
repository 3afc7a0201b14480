import { describeClusterNeighbours } from './suites/cluster-neighbours.ts'

await describeClusterNeighbours('3.9')
