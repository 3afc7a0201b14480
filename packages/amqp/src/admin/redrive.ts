import {
  type Clock,
  ConfigurationError,
  type Deadline,
  isMessagingError,
  type RedriveReport,
  type RedriveRequest,
  RedriveTally,
} from '@oslo-messaging/core/driver'
import { originalOf, originOf } from '../receive/dead-letter.ts'
import { type Letter, RedriveSource } from './redrive-source.ts'
import type { PeerSession } from '../connection/peer-session.ts'

/** Letters held at once, and bytes of them: a run takes everything that is there before it moves anything, so that what
 *  fails again at once is not met a second time. */
const MOST_HELD = 5000
const MOST_BYTES = 64 * 1024 * 1024

export interface RedriveOptions {
  readonly request: RedriveRequest
  readonly clock: Clock
  readonly openSession: () => Promise<PeerSession>
  /** The peer's form of a name that an operator gives. */
  readonly addressOf: (name: string) => string
  /** Sends encoded messages; resolves when the peer has accepted one. */
  readonly send: (address: string, message: Buffer, deadline: Deadline) => Promise<void>
}

/** Moves dead letters back to the addresses they failed at. */
export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  const { request, clock, openSession, addressOf } = options
  const { source: name, to, deadline } = request
  // A name given with --to is meant as it is: any address may hold what is to be moved.
  const names = name.endsWith('.dead') || to !== null ? [name] : [deadAddress(name), name]
  let refusal: unknown
  for (const each of names) {
    const address = addressOf(each)
    let source: RedriveSource
    try {
      source = await RedriveSource.open(await openSession(), address, clock, deadline)
    } catch (error) {
      if (deadline.expired || deadline.signal?.aborted === true) throw error
      refusal = error
      continue
    }
    try {
      const run = new Run(options, source, address)
      // The address of the listener itself is only tried with one message: it may well be alive.
      if (await run.hasLetters(each === name && names.length > 1)) return await run.move()
    } finally {
      await source.close()
    }
  }
  if (refusal !== undefined && names.length === 1) throw refusal
  return new RedriveTally().report(0)
}

const deadAddress = (name: string): string => `${name}.dead`

class Run {
  readonly #options: RedriveOptions
  readonly #source: RedriveSource
  readonly #address: string
  readonly #tally = new RedriveTally()
  readonly #held = new Set<Letter>()
  readonly #movable: { readonly letter: Letter; readonly to: string }[] = []
  #isEmpty = false

  constructor(options: RedriveOptions, source: RedriveSource, address: string) {
    this.#options = options
    this.#source = source
    this.#address = address
  }

  /** Takes the first letter. Throws ConfigurationError when it is none and the address may be alive. */
  async hasLetters(mayBeAlive: boolean): Promise<boolean> {
    await this.#take(1)
    if (!mayBeAlive || this.#held.size === 0 || this.#movable.length > 0) return this.#held.size > 0
    this.#giveBack()
    throw new ConfigurationError(
      `What is in ${this.#address} are no dead letters: name the address the broker or the driver keeps them in, or give --to as well`,
      { option: 'address' },
    )
  }

  async move(): Promise<RedriveReport> {
    const { dryRun, limit, deadline } = this.#options.request
    let bytes = 0
    try {
      while (
        !this.#isEmpty &&
        this.#movable.length < (limit ?? Infinity) &&
        this.#held.size < MOST_HELD &&
        bytes < MOST_BYTES
      ) {
        await this.#take(Math.min(MOST_HELD - this.#held.size, (limit ?? Infinity) - this.#movable.length))
        bytes = [...this.#held].reduce((sum, letter) => sum + letter.bytes.length, 0)
      }
      const total = this.#held.size
      for (const { letter, to } of this.#movable) {
        if (!dryRun && !(await this.#moveOne(letter, to, deadline))) continue
        this.#tally.move()
      }
      // With the last one in hand it is known how many there were.
      return this.#tally.report(this.#isEmpty ? total - (dryRun ? 0 : this.#tally.moved) : null)
    } catch (error) {
      throw this.#tally.interrupted(error)
    } finally {
      this.#giveBack()
    }
  }

  async #take(most: number): Promise<void> {
    const { deadline, to, limit } = this.#options.request
    const asked = Math.min(most, 100)
    const letters = await this.#source.next(asked, deadline)
    if (letters.length < asked) this.#isEmpty = true
    for (const letter of letters) {
      this.#held.add(letter)
      const address = to === null ? this.#originOf(letter) : this.#options.addressOf(to)
      if (address === undefined) this.#tally.skip('it does not say which address it came from: name one with --to')
      else if (address === this.#address) this.#tally.skip(`it came from ${address}, where it is`)
      else if (this.#movable.length < (limit ?? Infinity)) this.#movable.push({ letter, to: address })
    }
  }

  #originOf({ bytes }: Letter): string | undefined {
    try {
      return originOf(bytes)
    } catch (error) {
      if (isMessagingError(error, 'SERIALIZATION')) return undefined
      throw error
    }
  }

  /** False: it stays. */
  async #moveOne(letter: Letter, to: string, deadline: Deadline): Promise<boolean> {
    try {
      await this.#options.send(to, originalOf(letter.bytes, to), deadline)
    } catch (error) {
      // The peer does not want it there; it says so of this one, and the next may be for somewhere else.
      if (!isMessagingError(error, 'DELIVERY') || error.delivery === 'unknown') throw error
      this.#tally.skip(`${to} does not take it: ${error.message}`)
      return false
    }
    this.#source.accept(letter)
    this.#held.delete(letter)
    return true
  }

  #giveBack(): void {
    for (const letter of this.#held) this.#source.release(letter)
    this.#held.clear()
  }
}
