import { ConfigurationError } from '../errors.ts'
import { suggest } from '../util/suggest.ts'
import { PRIORITIES } from './priority.ts'
import { compileShellPattern } from './shell-pattern.ts'

/** Which events one driver of a group takes. Both conditions must hold; one that is not given always does, an empty
 *  list never. */
interface Rule {
  readonly driver: string
  readonly events: readonly RegExp[] | undefined
  readonly priorities: readonly RegExp[] | undefined
}

/** The rules of the `routing` driver: groups of drivers, each with the shell patterns of the events and priorities it
 *  takes. */
export class RoutingRules {
  readonly #rules: readonly Rule[]

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  /** From a parsed file: group -> driver -> { accepted_events, accepted_priorities }. Other keys of a driver are
   *  ignored, as in oslo; `warn` is told about them, and about priorities that no notification has.
   *  Throws ConfigurationError that names the place. */
  static from(groups: unknown, warn: (message: string) => void = () => {}): RoutingRules {
    const rules: Rule[] = []
    for (const [group, drivers] of fieldsOf(groups, 'the file'))
      for (const [driver, conditions] of fieldsOf(drivers, group))
        rules.push(readRule(driver, new Map(fieldsOf(conditions, `${group}.${driver}`)), `${group}.${driver}`, warn))
    return new RoutingRules(rules)
  }

  /** Every driver any group names. */
  get drivers(): ReadonlySet<string> {
    return new Set(this.#rules.map((rule) => rule.driver))
  }

  /** The drivers that take the event, each once, whatever number of groups says so. */
  driversFor(eventType: string, priority: string): ReadonlySet<string> {
    const chosen = this.#rules.filter(
      ({ events, priorities }) =>
        (events === undefined || events.some((pattern) => pattern.test(eventType))) &&
        (priorities === undefined || priorities.some((pattern) => pattern.test(priority.toLowerCase()))),
    )
    return new Set(chosen.map((rule) => rule.driver))
  }
}

const CONDITIONS = ['accepted_events', 'accepted_priorities']

function readRule(
  driver: string,
  conditions: ReadonlyMap<string, unknown>,
  place: string,
  warn: (message: string) => void,
): Rule {
  for (const name of conditions.keys()) {
    if (CONDITIONS.includes(name)) continue
    const meant = suggest(name, CONDITIONS)
    warn(`routing_config: ${place}.${name} is not read${meant === undefined ? '' : `; did you mean ${meant}?`}`)
  }
  const events = readList(conditions.get('accepted_events'), `${place}.accepted_events`)
  const priorities = readList(conditions.get('accepted_priorities'), `${place}.accepted_priorities`)
  return {
    driver,
    events: events?.map(compileShellPattern),
    priorities: priorities?.map((text) => {
      const pattern = compileShellPattern(text.toLowerCase())
      if (!PRIORITIES.some((priority) => pattern.test(priority)))
        warn(`routing_config: ${place}.accepted_priorities: ${text} is no priority; ${PRIORITIES.join(', ')} are`)
      return pattern
    }),
  }
}

function readList(value: unknown, place: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw wrong(place, 'a list of texts')
}

/** Nothing (an empty file or group) has no fields. */
function fieldsOf(value: unknown, place: string): [string, unknown][] {
  if (value === null || value === undefined) return []
  if (typeof value === 'object' && !Array.isArray(value)) return Object.entries(value)
  throw wrong(place, 'a mapping')
}

function wrong(place: string, wanted: string): ConfigurationError {
  return new ConfigurationError(`routing_config: ${place} must be ${wanted}`, {
    option: '[oslo_messaging_notifications] routing_config',
  })
}
