/** What was asked for cannot be done; `message` is one line that says why. */
export class UsageError extends TypeError {}
