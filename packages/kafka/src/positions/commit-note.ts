/** What a listener writes beside a position that it stores before it hands out. Whoever lost the answer to a commit
 *  reads from it whether that commit was stored. */
export interface CommitNote {
  /** The listener that stored the position. */
  readonly by: string
  /** Where it had begun to read the partition. */
  readonly from: number
  /** Who had stored the position it began at; absent: nobody that leaves notes. */
  readonly after?: string | undefined
}

const NOTE = /^oslo\.messaging by=(\S+) from=(\d+) after=(\S+)$/
const NOBODY = '-'

export function writeNote({ by, from, after = NOBODY }: CommitNote): string {
  return `oslo.messaging by=${by} from=${from} after=${after}`
}

/** Undefined: somebody else's note, or none. */
export function readNote(text: string | undefined): CommitNote | undefined {
  const [, by, from, after] = NOTE.exec(text ?? '') ?? []
  if (by === undefined) return undefined
  return { by, from: Number(from), after: after === NOBODY ? undefined : after }
}
