/** The door for supervisors of a service: liveness, readiness, health and metrics over HTTP. */
export { getProbes, type Probes, type ProbesOptions } from './probes/probes.ts'
