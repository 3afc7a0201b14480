export { systemClock } from './util/clock.ts'
