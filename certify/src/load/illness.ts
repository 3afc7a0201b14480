import type { Transport } from '@oslo-messaging/core'

const WELL = new Set(['consuming', 'connected', 'closed'])

/** What is wrong with a transport, in its own words; undefined: nothing. */
export function illnessOf(transport: Transport): string | undefined {
  const { status, components } = transport.health()
  if (status === 'ok' || status === 'idle') return undefined
  const parts = components
    .filter(({ state }) => !WELL.has(state))
    .map(({ name, state, sinceMs, reason }) => {
      const seconds = Math.round((Date.now() - sinceMs) / 1000)
      return `${name} ${state} for ${seconds} s${reason === undefined ? '' : ` (${reason})`}`
    })
  return [status, ...parts].join(', ')
}
