import { placeOf, type Summary } from './summary.ts'
import type { HandledEvent } from './event.ts'
import { type MessageTable, Outcome } from './message-table.ts'

/** Whether a message has a place in an order: one of several that were sent one after the other, and each known to have
 *  arrived. */
function isOrdered(table: MessageTable, message: number): boolean {
  return (
    table.wasSent(message) &&
    (table.key[message] ?? -1) >= 0 &&
    table.outcome[message] === Outcome.resolved &&
    table.wiped[message] === 0
  )
}

/** In every partition the messages of one key stand in the order of their numbers. */
export function checkStoredOrder({ table, promises, outside, findings }: Summary): void {
  if (outside.size === 0 || !promises.storedInOrder) return
  findings.applies('order')
  const sorted = inOrderOfPositions(table)
  let place = -1
  let partition = -1
  const last = new Map<number, number>()
  for (const message of sorted) {
    if (table.place[message] !== place || table.partition[message] !== partition) {
      place = table.place[message] ?? -1
      partition = table.partition[message] ?? -1
      last.clear()
    }
    const key = table.key[message] ?? -1
    const before = last.get(key)
    if (before !== undefined && before > message)
      findings.add('order', message, `stored behind ${before}, which was sent after it`)
    else last.set(key, message)
  }
}

/** Ordered messages that are stored, by place, partition and position. */
function inOrderOfPositions(table: MessageTable): Uint32Array {
  const messages = new Uint32Array(table.size)
  let size = 0
  for (let message = 0; message < table.size; message++)
    if (isOrdered(table, message) && (table.stored[message] ?? 0) > 0) messages[size++] = message
  const by = (column: Int32Array | Float64Array, one: number, other: number): number =>
    (column[one] ?? 0) - (column[other] ?? 0)
  return messages
    .subarray(0, size)
    .sort(
      (one, other) => by(table.place, one, other) || by(table.partition, one, other) || by(table.position, one, other),
    )
}

/** Watches that each member handles the messages of one key, in one partition, in the order of their numbers.
 *  Repetitions have no order. */
export class HandlingOrder {
  readonly applies: boolean
  readonly #summary: Summary
  readonly #last = new Map<string, number>()
  readonly #seen = new Map<string, Uint8Array>()

  constructor(summary: Summary) {
    this.#summary = summary
    const { promises, readers, findings } = summary
    this.applies = readers.some((reader) => promises.readers[reader]?.ordered)
    if (this.applies) findings.applies('order')
  }

  handled({ message, reader, member, redelivered }: HandledEvent): void {
    const { table, promises, outside, findings } = this.#summary
    if (promises.readers[reader]?.ordered !== true || redelivered || !isOrdered(table, message)) return
    // Without a partition the message's line is unknown; it is missing in the store, which is a violation of its own.
    if (table.stored[message] === 0 && outside.has(placeOf(this.#summary, message))) return
    if (!this.#isFirst(`${reader} ${member}`, message)) return
    const line = `${reader} ${member} ${table.place[message]} ${table.partition[message]} ${table.key[message]}`
    const before = this.#last.get(line)
    if (before !== undefined && before > message)
      findings.add('order', message, `handled by ${member} behind ${before}, which was sent after it`, reader)
    else this.#last.set(line, message)
  }

  #isFirst(member: string, message: number): boolean {
    let seen = this.#seen.get(member)
    if (seen === undefined) this.#seen.set(member, (seen = new Uint8Array(Math.ceil(this.#summary.table.size / 8))))
    const byte = message >> 3
    const bit = 1 << (message & 7)
    if (((seen[byte] ?? 0) & bit) !== 0) return false
    seen[byte] = (seen[byte] ?? 0) | bit
    return true
  }
}
