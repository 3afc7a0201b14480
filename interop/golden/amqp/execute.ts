import { compareFacts } from '../../../packages/amqp/test/support/compare-facts.ts'
import { sentBy, type Vector } from '../../../packages/amqp/test/support/vectors.ts'
import { factsOf, ours, type WireFacts } from '../../../packages/amqp/test/support/wire-facts.ts'
import { Judge, type Verdict } from '../judge.ts'
import { type Message, numberIds, withoutFrames } from '../normalize.ts'
import { accept } from './accept.ts'
import { play } from './play.ts'
import { Sides } from './sides.ts'

/** Executes one vector against an in-process peer: what we send is compared, and what Python sent is given to us. */
export async function executeAmqp(vector: Vector): Promise<Verdict> {
  const judge = new Judge(vector.id.replaceAll('/', '-'))
  {
    await using sides = await Sides.open(vector)
    await play(judge, vector, sides)
    await sides.closeAll()
    for (const side of ['client', 'server'] as const) {
      const [mine, python] = [factsOf(ours(sides[side].frames)), factsOf(sentBy(vector, side))].map(normalized)
      if (mine === undefined || python === undefined) throw new Error('unreachable')
      const { comparisons, differences } = compareFacts(vector, side, mine, python)
      for (const each of comparisons) judge.same(`${side}: ${each.what}`, each.ours, each.python)
      for (const id of differences) judge.excuse(id)
    }
  }
  await accept(judge, vector)
  return judge.verdict()
}

/** Without generated ids in bodies, and without the frames of tracebacks. */
function normalized(facts: WireFacts): WireFacts {
  const transfers = facts.transfers.map((transfer) => {
    const { body } = transfer as { readonly body?: unknown }
    return typeof body === 'object' && body !== null ? { ...transfer, body: withoutFrames(body as Message) } : transfer
  })
  return { ...facts, transfers: numberIds(transfers) }
}
