import { describe, it } from 'vitest'

import type { Cell, Stage } from './cell.ts'
import { MatrixRunner, type Outcome } from './runner.ts'

/** A stage may wait for those before it, and for a broker and a Python that are fetched, or compiled, beside other
 *  work. */
const OPENING_MS = 600_000
/** A cell may wait for the others of its stage. */
const PATIENCE_MS = 280_000

/** One test for opening the two sides, one for each cell that there is, and one for stopping them in order. */
export function describeStages(stages: readonly Stage[], sideBySide: number): void {
  const runner = new MatrixRunner(stages, sideBySide)
  describe.each(stages.map((stage) => [stage.title, stage] as const))('%s', (_, stage) => {
    // No hook: cells run as soon as they can, and what they poll for belongs to a test.
    it('both sides open', { timeout: OPENING_MS }, async ({ skip }) => {
      await hold(runner.opened(stage), skip)
    })
    for (const cell of stage.cells) {
      if (cell.notApplicable !== undefined) continue
      it(titleOf(cell), { timeout: PATIENCE_MS }, async ({ skip }) => {
        await hold(runner.outcome(cell), skip)
      })
    }
    it('both sides stop in order', { timeout: PATIENCE_MS }, async ({ skip }) => {
      await hold(runner.outcome(stage), skip)
    })
  })
}

async function hold(outcome: Promise<Outcome>, skip: (note: string) => never): Promise<void> {
  const { outcome: how, error } = await outcome
  if (how === 'not run') skip('this machine cannot have the broker or the Python')
  if (how === 'fail') throw error
}

function titleOf({ feature, pair }: Cell): string {
  const [from, to] = feature.kind === 'rpc' ? ['client', 'server'] : ['notifier', 'listener']
  const who = (side: string | undefined): string => (side === 'ours' ? 'our' : 'a Python')
  const [sender, receiver] = pair.split(' to ')
  return `${who(sender)} ${from}, ${who(receiver)} ${to} - ${feature.name}`
}
