import type { HistoryPromises } from '@oslo-messaging/conformance/history'
import type { Nemesis } from './nemesis.ts'
import type { Random } from '@oslo-messaging/conformance/faults'
import type { Recorder } from './recorder.ts'

/** What a run was asked for. */
export interface RunOptions {
  readonly seed: string
  /** The short form: the few nemeses that `Stage.short` names, a minute in all. */
  readonly short: boolean
  /** How long nemeses go on striking in the full form. */
  readonly minutes: number
  /** The variant of the profile; undefined: each in turn, and the first alone in the short form. */
  readonly on: string | undefined
  /** Version of the broker, in words the profile knows; undefined: its default. */
  readonly version: string | undefined
  /** Client library of the driver, in words the profile knows; undefined: the driver's own. */
  readonly client: string | undefined
  /** Only these nemeses; undefined: all. */
  readonly only: readonly string[] | undefined
}

/** What a profile is given to build its stage. */
export interface StageParts {
  readonly options: RunOptions
  readonly random: Random
  readonly recorder: Recorder
  /** Tells a person what is going on. */
  readonly say: (text: string) => void
}

/** One driver on one kind of broker: everything that differs between certifications. */
export interface Profile {
  /** `kafka`. */
  readonly name: string
  /** Which broker, or how many nodes: what `--on` chooses. */
  readonly variant: string
  /** Starts the brokers and opens the transports. */
  open(parts: StageParts): Promise<Stage>
}

/** Brokers, senders and readers of one run. */
export interface Stage extends AsyncDisposable {
  /** `kafka 3.9.2, three nodes`. */
  readonly title: string
  readonly nemeses: readonly Nemesis[]
  /** Names of those that the short form uses. */
  readonly short: readonly string[]
  readonly promises: HistoryPromises
  /** Senders and readers go to work. */
  begin(): Promise<void>
  /** Resolves when everything is whole again; rejects, with what is not, when that takes too long. */
  calm(): Promise<void>
  /** Senders end, readers catch up and stop, and an outside reader records what is stored. */
  end(): Promise<void>
  /** Figures for the report. */
  facts(): Readonly<Record<string, string | number>>
}
