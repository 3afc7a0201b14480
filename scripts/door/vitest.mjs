import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './processes.mjs'

/** The program of the test runner. */
export const VITEST = join(root, 'node_modules/vitest/vitest.mjs')

/** Its arguments for the everyday tests, before those of whoever runs them: a project or a number of workers that is
 *  given replaces ours. */
export function everyday(args) {
  const isGiven = (name) => args.some((arg) => arg === name || arg.startsWith(`${name}=`))
  return [
    'run',
    ...(isGiven('--project') ? [] : ['--project', 'unit', '--project', 'broker']),
    // Tests wait for brokers and timers most of their time; by itself vitest leaves one core free, and has one worker
    // on two.
    ...(isGiven('--maxWorkers') ? [] : [`--maxWorkers=${availableParallelism() + 1}`]),
    ...args,
  ]
}
