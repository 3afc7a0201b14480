import { describe, expect, it } from 'vitest'
import { type ComponentState, type HealthStatus, summarizeHealth } from '../../src/driver/health.ts'

describe('summarizeHealth', () => {
  const rows: readonly [states: readonly ComponentState[], status: HealthStatus][] = [
    [[], 'idle'],
    [['closed'], 'idle'],
    [['connected'], 'ok'],
    [['connected', 'consuming', 'closed'], 'ok'],
    [['starting'], 'degraded'],
    [['connected', 'recovering'], 'degraded'],
    [['recovering', 'blocked'], 'blocked'],
    [['blocked', 'failed', 'connected'], 'failed'],
  ]
  it.each(rows)('%j is %s', (states, status) => {
    const components = states.map((state) => ({ kind: 'connection' as const, name: 'c', state, sinceMs: 0 }))
    expect(summarizeHealth(components)).toEqual({ status, components })
  })
})
