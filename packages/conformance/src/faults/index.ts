/** Faults for any broker that speaks TCP: a proxy that breaks what goes through it, on command or as a seed says. */
export { FaultProxy, type FaultProxyOptions, type HostPort, type Towards } from './fault-proxy.ts'
export { proxyURL, type ProxiedURL } from './proxied-url.ts'
export { Random } from './random.ts'
export {
  breakAtRandom,
  FAULT_KINDS,
  type FaultKind,
  type FaultRecord,
  type RandomFaultOptions,
} from './random-faults.ts'
