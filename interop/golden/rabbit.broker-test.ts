import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { afterAll, describe, expect, it } from 'vitest'

import { vectors } from '../../packages/rabbit/test/support/vectors.ts'
import type { Verdict } from './judge.ts'
import { executeRabbit } from './rabbit/execute.ts'
import { CAPTURES, summary, writePart } from './results.ts'

const rabbit = await skipOrFail(sharedBroker('rabbit'))
const all = vectors('rabbit-')
const verdicts: (Verdict & { readonly ms: number })[] = []

describe.skipIf(rabbit === undefined)(
  'AMQP 0-9-1 as Python speaks it, through the public API and a real broker',
  () => {
    it.concurrent.each(all.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
      if (rabbit === undefined) throw new Error('no broker')
      const started = performance.now()
      const verdict = await executeRabbit(rabbit, vector)
      verdicts.push({ ...verdict, ms: Math.round(performance.now() - started) })
      expect(verdict.details.join('\n')).toBe('')
    })

    afterAll(() => {
      if (verdicts.length === all.length)
        writePart('rabbit', { versions: { rabbit: `RabbitMQ ${rabbit?.version}`, captures: CAPTURES }, verdicts })
      process.stdout.write(summary('rabbit', verdicts))
    })
  },
)
