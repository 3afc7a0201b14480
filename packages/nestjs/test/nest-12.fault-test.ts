import { describeOnBrokers } from './support/on-brokers.ts'

describeOnBrokers('12')
