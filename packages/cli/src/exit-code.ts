/** What the exit codes say; the table in docs/cli.md. */
export const EXIT = {
  /** Done, and nothing to object. */
  done: 0,
  /** It could not be done; one line on stderr says why and what to do. */
  failed: 1,
  /** The command line cannot be understood; nothing was asked of any broker. */
  usage: 2,
  /** Done, and the answer is a bad one: a method raised, nobody answered, messages were lost, something is broken. */
  found: 3,
  /** Done, and the worst that was found is a warning. */
  warned: 4,
  /** Ended by a second Ctrl-C. */
  interrupted: 130,
} as const
