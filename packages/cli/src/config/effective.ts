import type { MessagingConfig } from '@oslo-messaging/core'
import type { EffectiveOption, OptionValue } from '@oslo-messaging/core/driver'
import { errorText } from '../text/error-text.ts'
import type { GroupProblem, KnownGroup } from './groups.ts'

/** Every option of the groups with its value and its source; a group that cannot be read is a problem. */
export function readEffective(
  conf: MessagingConfig,
  groups: readonly KnownGroup[],
): { readonly options: readonly EffectiveOption[]; readonly problems: readonly GroupProblem[] } {
  const problems: GroupProblem[] = []
  const options = groups.flatMap(({ fragment, query }) => {
    try {
      return conf.explain(fragment, query)
    } catch (error) {
      problems.push({ where: `[${fragment.group}]`, text: errorText(error) })
      return []
    }
  })
  return { options, problems }
}

/** A value as it is written in a file. */
export function valueText(value: OptionValue): string {
  if (value === null) return ''
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, each]) => `${key}:${each}`)
      .join(',')
  return String(value)
}

/** What an option takes, for people: `integer of at least 1, in seconds`. */
export function typeText({ type, min, max, choices, unit }: EffectiveOption['definition']): string {
  const limits = [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])]
  return [
    type === 'multi' ? 'text, repeated for several' : type,
    ...(limits.length === 0 ? [] : [limits.join(', ')]),
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(choices === undefined ? [] : [`one of ${choices.join(', ')}`]),
  ].join('; ')
}
