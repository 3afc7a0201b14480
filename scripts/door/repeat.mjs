import { takeOption } from './options.mjs'
import { ExpectedError, interruptedBy } from './processes.mjs'
import { slowest, withReport } from './report.mjs'

/** Splits `--repeat N` off; undefined when it is not there. */
export function takeRepeat(args) {
  const { value, rest } = takeOption(args, '--repeat')
  if (value !== undefined && !/^[1-9]\d*$/.test(value))
    throw new ExpectedError(
      `--repeat takes how often the tests run, a whole number from 1, not ${JSON.stringify(value)}.`,
    )
  return { times: value === undefined ? undefined : Number(value), rest }
}

/** Runs the tests `times` times and says which test failed in which round.
 *
 *  A test that fails in some rounds and passes in others is unsteady, which is a bug of the test or of what it tests:
 *  the exit code is 1 even if the last round was green. */
export async function repeatTests(times, run) {
  const rounds = []
  for (let round = 1; round <= times && interruptedBy() === undefined; round += 1) {
    console.log(`\n--- round ${round} of ${times}`)
    const begun = Date.now()
    const outcome = await withReport(run)
    rounds.push({ ...outcome, round, ms: Date.now() - begun })
  }
  console.log('\n--- rounds')
  for (const { round, ms, passed, failures, isIncomplete } of rounds) {
    const verdict = isIncomplete ? 'ended without a verdict' : `${passed} passed, ${failures.length} failed`
    console.log(`${String(round).padStart(4)}  ${(ms / 1000).toFixed(0).padStart(5)} s  ${verdict}`)
  }
  for (const [name, list] of byName(rounds)) {
    console.log(`\nfailed in ${list.map(({ round }) => round).join(', ')} of ${rounds.length}: ${name}`)
    console.log(list[0].message.split('\n').slice(0, 8).join('\n'))
  }
  console.log(`\n--- slowest files of the last round\n${slowest(rounds.at(-1)?.files ?? []).join('\n')}`)
  const isGreen = rounds.length === times && rounds.every(({ code, isIncomplete }) => code === 0 && !isIncomplete)
  return isGreen ? 0 : 1
}

function byName(rounds) {
  const groups = new Map()
  for (const { round, failures } of rounds) {
    for (const failure of failures) {
      groups.set(failure.name, [...(groups.get(failure.name) ?? []), { ...failure, round }])
    }
  }
  return groups
}
