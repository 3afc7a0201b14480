import { performance } from 'node:perf_hooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { corpusOf } from './corpus.ts'
import { HangWatch } from './hang-watch.ts'
import { mutate, randomFrom } from './mutator.ts'
import { PARSERS } from './parsers.ts'

const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 100_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 32)
/** No input of a few kilobytes may hold a process for so long, on any machine. */
const MOST_MS = 2_000
/** What the parsers leave behind, when all inputs have been read. */
const MOST_GROWTH_BYTES = 256 * 1024 * 1024

describe.each(PARSERS)('$name', ({ name, errors, ...parser }) => {
  const corpus = corpusOf(name)

  test('the corpus itself is not empty', () => {
    expect(corpus.length).toBeGreaterThan(0)
  })

  test(
    `${INPUTS} inputs from seed ${SEED}: only the errors that are promised, in bounded time and memory`,
    { timeout: 3_600_000 },
    () => {
      const watch = new HangWatch(`${name}, seed ${SEED}`, 5 * MOST_MS)
      onTestFinished(() => watch.end())
      const random = randomFrom(SEED)
      const before = process.memoryUsage().rss
      let refused = 0
      for (let index = 0; index < INPUTS; index += 1) {
        const input = mutate(corpus[random(corpus.length)] ?? Buffer.alloc(0), corpus, random)
        const shown = (): string => `input ${index} of seed ${SEED}, in base64: ${input.toString('base64')}`
        watch.at(index)
        const begun = performance.now()
        try {
          parser.parse(input)
        } catch (error) {
          refused += 1
          if (!errors.some((Class) => isOf(error, Class)))
            throw new Error(`${name} threw ${String(error)} for ${shown()}`, { cause: error })
        }
        const ms = performance.now() - begun
        if (ms > MOST_MS) throw new Error(`${name} took ${ms.toFixed(0)} ms for ${shown()}`)
      }
      expect(process.memoryUsage().rss - before).toBeLessThan(MOST_GROWTH_BYTES)
      // Mutation that breaks nothing, or everything, tests nothing. A failure always becomes an error, so it is never
      // refused.
      if (errors.length > 0) expect(refused / INPUTS).toBeGreaterThan(0.02)
      expect(refused / INPUTS).toBeLessThan(0.999)
    },
  )
})

/** Every defect of JavaScript is an Error, so that a parser which promises no more than that promises exactly that. */
function isOf(error: unknown, Class: new (...args: never[]) => Error): boolean {
  return error instanceof Class && (Class !== Error || error.constructor === Error)
}
