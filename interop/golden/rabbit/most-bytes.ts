/** Captured messages hold less, compressed or not. */
export const MOST_BYTES = 1_000_000
