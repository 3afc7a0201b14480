import { describeClusterTopics } from './suites/cluster-topics.ts'

await describeClusterTopics('4.4')
