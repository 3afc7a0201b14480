import { describeClusterTopics } from './suites/cluster-topics.ts'

await describeClusterTopics('3.9')
