import { NotificationFilter, PRIORITIES, type Priority } from '@oslo-messaging/core'
import { errorText } from '../text/error-text.ts'
import { UsageError } from '../usage-error.ts'

/** The priorities that `--priority` names, in any case; all of them where it names none. Throws UsageError. */
export function prioritiesOf(given: readonly string[]): readonly Priority[] {
  if (given.length === 0) return PRIORITIES
  return given.map((name) => {
    const known = PRIORITIES.find((each) => each === name.toLowerCase())
    if (known === undefined) throw new UsageError(`--priority is one of ${PRIORITIES.join(', ')}, not ${name}`)
    return known
  })
}

/** The filter of these rules. Throws UsageError for what is no regular expression. */
export function readFilter(rules: ConstructorParameters<typeof NotificationFilter>[0]): NotificationFilter {
  try {
    return new NotificationFilter(rules)
  } catch (error) {
    throw new UsageError(errorText(error))
  }
}
