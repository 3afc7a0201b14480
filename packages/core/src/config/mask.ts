import { MASK } from '../url/format.ts'
import { TransportURL } from '../url/transport-url.ts'
import type { ConfigFragment, OptionValue, ResolvedOptions } from './option.ts'

/** Option values as people may see them. URLs keep what is no secret. */
export function maskOptions(fragment: ConfigFragment, options: ResolvedOptions): Record<string, OptionValue> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      const secret = fragment.options[name]?.secret === true && value !== null && value !== ''
      return [name, secret ? maskText(name, value) : value]
    }),
  )
}

/** An option that is no secret may hold one by mistake: a URL, also one on a line that was indented and so belongs to
 *  the line before. */
export function mayHoldSecret(text: string): boolean {
  return /:\/\/.*@/s.test(text)
}

function maskText(name: string, value: OptionValue): string {
  if (!name.endsWith('transport_url') || typeof value !== 'string') return MASK
  try {
    return TransportURL.parse(value).redacted
  } catch {
    // Whoever uses the URL gets the error; here it only decides how much may be shown.
    return MASK
  }
}
