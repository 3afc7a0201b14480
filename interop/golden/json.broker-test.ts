import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getRpcClient, getRpcServer, type RPCTransport, Target } from '@oslo-messaging/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openRpc, unique } from '../test/support/ours.ts'
import { Peer } from '../test/support/peer.ts'
import { Judge, type Verdict } from './judge.ts'
import { isWidened, printOf, withoutWholeFloats } from './prints.ts'
import { summary, writePart } from './results.ts'

const python = await skipOrFail(pythonWithLibrary())
const rabbit = await skipOrFail(sharedBroker('rabbit'))

/** Values each way. */
const VALUES = process.env['INTEROP'] === 'full' ? 20_000 : 300
const BATCH = 100
const seed = Number(process.env['INTEROP_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Answers as peers/json_mirror.py does. */
class Mirror {
  mirror(_ctxt: object, { values }: { values: readonly unknown[] }) {
    return { values, prints: values.map(printOf) }
  }
}

/** What Python and JavaScript both have: text of any code units, integers of any size, every double. */
const text = fc
  .string({ unit: 'binary', maxLength: 12 })
  .chain((whole) => fc.constantFrom(whole, `${whole}\ud83d`, `\udc00${whole}`))
const key = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor', '1', '10', '2', '', 'oslo.message', '_context_x'),
)
const { value: anything } = fc.letrec<{ value: unknown; scalar: unknown }>((tie) => ({
  scalar: fc.oneof(
    fc.constantFrom(
      null,
      true,
      false,
      0,
      -0,
      1,
      2 ** 53 - 1,
      2 ** 53,
      -(2 ** 53),
      1e20,
      1e21,
      2n ** 63n,
      -(10n ** 30n),
    ),
    fc.integer(),
    fc.bigInt(),
    fc.double(),
    // Whole, beyond 2^53, and not the round numbers that are easy to write.
    fc.tuple(fc.maxSafeInteger(), fc.nat({ max: 16 })).map(([whole, shift]) => whole * 2 ** shift),
    text,
  ),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('scalar'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  ),
}))

/** True when there is something in it that strict JSON or JavaScript's own writer lacks. */
function needsCare(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(needsCare)
}

describe.skipIf(python === undefined || rabbit === undefined)(`D12 JSON through Python and back, seed ${seed}`, () => {
  const [ours, theirs] = [unique('mirror'), unique('mirror')]
  const verdicts: (Verdict & { readonly ms: number })[] = []
  let transport: RPCTransport
  let peer: Peer

  beforeAll(async () => {
    const url = (await rabbit?.vhost()) ?? ''
    transport = await openRpc(url)
    const server = getRpcServer(transport, new Target({ topic: ours, server: 'mirror' }), [new Mirror()])
    await server.start()
    peer = await Peer.start('json_mirror', url, ['--topic', theirs])
  })

  afterAll(async () => {
    await peer.stop()
    await transport.close()
    writePart('json', { versions: {}, verdicts })
    process.stdout.write(
      `${VALUES} values each way, seed ${seed} (INTEROP_SEED repeats it)\n${summary('json', verdicts)}`,
    )
  })

  /** Prints that are equal, or equal but for whole floats. */
  function compare(judge: Judge, what: string, one: string, other: string): void {
    if (one !== other && withoutWholeFloats(one) === withoutWholeFloats(other))
      judge.excuse('whole-floats-are-integers')
    judge.same(what, withoutWholeFloats(one), withoutWholeFloats(other))
  }

  function conclude(judge: Judge, started: number): void {
    const verdict = judge.verdict()
    verdicts.push({ ...verdict, ms: Math.round(performance.now() - started) })
    expect(verdict.details.slice(0, 5).join('\n')).toBe('')
    expect(verdict.comparisons).toBeGreaterThanOrEqual(VALUES)
  }

  it('our values are what they are to Python, and come back', { timeout: 240_000 }, async () => {
    const started = performance.now()
    const judge = new Judge('json-ours-to-python')
    const client = getRpcClient(transport, new Target({ topic: theirs }))
    const sampled = fc.sample(anything ?? fc.constant(null), { numRuns: VALUES, seed })
    // What the engine can hold goes by itself: one value that needs care would take the quick way of the writer from
    // all of its batch.
    const values = [...sampled.filter(needsCare), ...sampled.filter((value) => !needsCare(value))]
    for (let at = 0; at < values.length; at += BATCH) {
      const batch = values.slice(at, at + BATCH)
      const answer = (await client.call({}, 'mirror', { values: batch })) as Readonly<
        Record<'values' | 'prints', unknown[]>
      >
      for (const [index, value] of batch.entries()) {
        const print = printOf(value)
        compare(judge, 'what Python takes it for', print, String(answer.prints[index]))
        compare(judge, 'what comes back', print, printOf(answer.values[index]))
        if (isWidened(value, answer.values[index])) judge.excuse('large-integers-are-bigints')
      }
    }
    conclude(judge, started)
  })

  it("Python's values are what they are to us, and come back", { timeout: 240_000 }, async () => {
    const started = performance.now()
    const judge = new Judge('json-python-to-ours')
    peer.send({ id: 1, topic: ours, seed, count: BATCH, batches: VALUES / BATCH })
    const answer = await peer.answer(1, 200_000)
    expect(answer).toMatchObject({ event: 'result', values: VALUES })
    for (let count = 0; count < VALUES; count += 1) judge.same('counted', true, true)
    for (const [had, got, seen] of answer['differences'] as [string, string, string][]) {
      compare(judge, 'what we take it for', seen, had)
      compare(judge, 'what comes back', got, had)
    }
    conclude(judge, started)
  })
})
