import type { DriverCapabilities } from '@oslo-messaging/core/driver'
import type { Harness } from './harness.ts'
import { type LeverName, leversOf } from './levers.ts'
import type { ConformanceOptions, Level } from './options.ts'

/** One promise of the contract and how it is checked. */
export interface ConformanceCase {
  /** States the behaviour: `call - the reply arrives`. */
  readonly name: string
  /** The level it belongs to. Default 0. */
  readonly level?: Level
  /** What must hold for the case to make sense; all of them. */
  readonly needs: readonly Need[]
  /** Rejects when the driver breaks the promise. */
  readonly run: (harness: Harness) => Promise<void>
}

type BooleanCapability = {
  [Name in keyof DriverCapabilities]: DriverCapabilities[Name] extends boolean ? Name : never
}[keyof DriverCapabilities]

type Knob = 'vhosts' | 'makeUnreadable' | 'secret' | 'peer'

/** A declared capability (`rpc`), one that is declared absent (`no rpc`), a value of one, or a knob. */
export type Need =
  | BooleanCapability
  | `no ${BooleanCapability}`
  | 'exchanges for rpc'
  | 'exchanges for notifications'
  | 'ordering by queue'
  | 'ordering by partition'
  | 'acknowledgement after the handler'
  | 'knob vhosts'
  | 'knob makeUnreadable'
  | 'knob secret'
  | 'knob peer'
  | `lever ${LeverName}`

/** Why the need is not met, in words for the report; undefined when it is. */
export function unmet(need: Need, options: ConformanceOptions): string | undefined {
  const { capabilities, knobs = {} } = options
  const say = (holds: boolean, fact: string): string | undefined => (holds ? undefined : fact)
  const absent = (name: Need): string => {
    const why = knobs.reasons?.[name]
    return why === undefined ? `no ${name}` : `no ${name}: ${why}`
  }
  switch (need) {
    case 'exchanges for rpc':
      return say(['rpc', 'both'].includes(capabilities.exchanges), `exchanges: ${capabilities.exchanges}`)
    case 'exchanges for notifications':
      return say(['notifications', 'both'].includes(capabilities.exchanges), `exchanges: ${capabilities.exchanges}`)
    case 'ordering by queue':
      return say(capabilities.ordering === 'queue', `ordering: ${capabilities.ordering}`)
    case 'ordering by partition':
      return say(capabilities.ordering === 'partition', `ordering: ${capabilities.ordering}`)
    case 'acknowledgement after the handler':
      return say(
        capabilities.notificationAcknowledgement === 'after-handler',
        `notificationAcknowledgement: ${capabilities.notificationAcknowledgement}`,
      )
    case 'knob vhosts':
    case 'knob makeUnreadable':
    case 'knob secret':
    case 'knob peer':
      return say(knobs[need.slice('knob '.length) as Knob] !== undefined, absent(need))
    default: {
      if (isLever(need)) {
        const name = need.slice('lever '.length) as LeverName
        return say(leversOf(options)[name] !== undefined, absent(need))
      }
      const isNegated = need.startsWith('no ')
      const name = (isNegated ? need.slice(3) : need) as BooleanCapability
      return say(capabilities[name] !== isNegated, `${name}: ${capabilities[name]}`)
    }
  }
}

function isLever(need: Need): need is `lever ${LeverName}` {
  return need.startsWith('lever ')
}
