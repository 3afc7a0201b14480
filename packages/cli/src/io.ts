import type { DriverSource } from '@oslo-messaging/core'

/** What the program is given besides its arguments. */
export interface RunOptions {
  /** Takes what goes to stdout. */
  readonly out: (text: string) => void
  /** Takes what goes to stderr. */
  readonly err: (text: string) => void
  /** Where `OS_<GROUP>__<OPTION>` is looked up. Default: nowhere. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Ends the command early: servers and listeners drain, everything else fails. */
  readonly signal?: AbortSignal
  /** Where drivers come from. Default: installed packages, by the scheme of the URL. */
  readonly registry?: DriverSource
  /** What `-` reads. Default: nothing. */
  readonly stdin?: AsyncIterable<string | Uint8Array>
  /** Columns that help and screens are folded to. Default 80. */
  readonly columns?: number
  /** Rows of a screen. Default 24. */
  readonly rows?: number
  /** Hears keys as they are pressed, until the function that is returned is called. Default: there are none. */
  readonly onKey?: (listener: (key: string) => void) => () => void
  /** stdout is a terminal: progress and screens make sense. Default false. */
  readonly isTerminal?: boolean
  /** stdout shows colours. Default false. */
  readonly colour?: boolean
}

/** The same with nothing left open: what commands work with. */
export interface Io extends Required<Omit<RunOptions, 'registry'>> {
  readonly registry: DriverSource | undefined
}

/** Fills in what was left out. */
export function createIo(options: RunOptions): Io {
  return {
    out: options.out,
    err: options.err,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    registry: options.registry,
    stdin: options.stdin ?? nothing(),
    // A terminal may change its size at any time.
    get columns() {
      return options.columns ?? 80
    },
    get rows() {
      return options.rows ?? 24
    },
    onKey: options.onKey ?? (() => () => {}),
    isTerminal: options.isTerminal ?? false,
    colour: options.colour ?? false,
  }
}

async function* nothing(): AsyncGenerator<string> {}
