import { Described } from '../wire/read-value.ts'
import { value } from '../wire/write-value.ts'
import { type Condition, readCondition, writeError } from './performatives.ts'

/** What the peer made of a message. `unknown`: it has settled it without saying. */
export type Outcome =
  | { readonly type: 'accepted' | 'released' | 'unknown' }
  | { readonly type: 'modified'; readonly deliveryFailed: boolean; readonly undeliverableHere: boolean }
  | { readonly type: 'rejected'; readonly condition: string | undefined; readonly description: string | undefined }

/** The outcome in a disposition; undefined while there is none. A peer that settles and names no state has accepted,
 *  says the specification; the state of a delivery that is still under way is no outcome. Source: AMQP 1.0, part 2.6.12
 *  and 3.4. */
export function outcomeOf(state: unknown, settled: boolean): Outcome | undefined {
  const none: Outcome | undefined = settled ? { type: 'unknown' } : undefined
  if (state === null || state === undefined) return settled ? { type: 'accepted' } : undefined
  if (!(state instanceof Described)) return none
  const fields: readonly unknown[] = Array.isArray(state.value) ? state.value : []
  switch (state.code) {
    case 0x24:
      return { type: 'accepted' }
    case 0x25: {
      const error = readCondition(fields[0])
      return { type: 'rejected', condition: error?.condition, description: error?.description }
    }
    case 0x26:
      return { type: 'released' }
    case 0x27:
      return { type: 'modified', deliveryFailed: fields[0] === true, undeliverableHere: fields[1] === true }
    default:
      return none
  }
}

/** How a message that came in can be settled. `refuse`: its handler cannot handle it; `not-mine`: it was brought to the
 *  wrong receiver; `too-large`: beyond the announced size. */
export type Settlement = 'accept' | 'release' | 'refuse' | 'not-mine' | 'unreadable' | 'too-large'

const rejected = (error: Condition): Buffer => value.described(0x25, value.list([writeError(error)]))

/** Settlements as they are written. */
export const STATES: Readonly<Record<Settlement, Buffer>> = {
  accept: value.described(0x24, value.list([])),
  release: value.described(0x26, value.list([])),
  'not-mine': value.described(0x27, value.list([value.boolean(true), value.boolean(true)])),
  refuse: rejected({ condition: 'amqp:internal-error', description: 'The message cannot be handled' }),
  unreadable: rejected({ condition: 'amqp:decode-error', description: 'The message cannot be read' }),
  'too-large': rejected({
    condition: 'amqp:link:message-size-exceeded',
    description: 'The message is larger than the link takes',
  }),
}

/** Whether a state ends a delivery. */
export const isOutcome = (state: unknown): boolean =>
  state instanceof Described && state.code >= 0x24 && state.code <= 0x27
