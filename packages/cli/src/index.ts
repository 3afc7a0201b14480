/** The program `oslo-msg` as a function, for programs and tests that run it inside themselves. */
export { run, type RunOptions } from './run.ts'
