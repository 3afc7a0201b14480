import { errorText } from '../util/text.ts'

/** What is known of a notification that its endpoints could not handle; given to the ports `retryLater` and `bury` of a
 *  delivery. */
export interface FailureFacts {
  /** Failed attempts in all, this one counted, whichever listener made them. At least 1. */
  readonly attempts: number
  /** What the endpoint threw, or why the message cannot be read. */
  readonly error: unknown
  /** What travels beside the message, under the same names at every broker: `FAILURE_HEADERS`. Texts of at most 4
   *  KiB. */
  readonly headers: Readonly<Record<string, string>>
}

/** Headers of a notification that waits for another attempt or was buried. A driver adds where it came from (`origin`,
 *  the broker's own name of the queue, topic or address) and may add more under names that begin with `x-oslo-`;
 *  `DriverAdmin.redrive` takes all of them away again. */
export const FAILURE_HEADERS: Readonly<Record<'attempts' | 'reason' | 'stack' | 'origin', string>> = Object.freeze({
  attempts: 'x-oslo-attempts',
  reason: 'x-oslo-reason',
  stack: 'x-oslo-stack',
  origin: 'x-oslo-origin',
})

/** Bytes of UTF-8 that one header may take. RabbitMQ writes all headers of a message into one frame of 128 KiB, and a
 *  text of any length may be in an error. */
const LARGEST_HEADER = 4096

/** The facts of one failure, with headers that every broker can carry. */
export function failureFacts(attempts: number, error: unknown): FailureFacts {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : errorText(error)
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return {
    attempts,
    error,
    headers: {
      [FAILURE_HEADERS.attempts]: String(attempts),
      [FAILURE_HEADERS.reason]: shorten(reason),
      [FAILURE_HEADERS.stack]: shorten(stack),
    },
  }
}

/** Failed attempts that the headers of a delivery tell of: 0 when they tell of none. */
export function failedAttemptsOf(headers: Readonly<Record<string, unknown>> | undefined): number {
  const attempts = Number(headers?.[FAILURE_HEADERS.attempts] ?? 0)
  return Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 0
}

function shorten(text: string): string {
  // A character takes three bytes at most as one code unit, so that most texts need no counting.
  if (text.length * 3 <= LARGEST_HEADER) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= LARGEST_HEADER) return text
  const cut = bytes.subarray(0, LARGEST_HEADER - 3)
  // The last character may have been cut in two; decoding leaves a replacement mark, which goes.
  return `${cut.toString().replace(/\uFFFD$/, '')}...`
}
