import { describeDraining } from './support/draining.ts'
import { describeOnBrokers } from './support/on-brokers.ts'

describeOnBrokers('12')
describeDraining('12')
