/** The program `oslo-msg` as a function, for programs and tests that run it inside themselves. */
export { run } from './run.ts'
export type { RunOptions } from './io.ts'
