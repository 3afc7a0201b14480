import { readdirSync } from 'node:fs'

import { afterAll, describe, expect, it } from 'vitest'

import { addressRows } from '../../packages/amqp/test/support/address-table.ts'
import { type UnitRow, unitTables } from '../../packages/core/test/unit-tables.ts'
import { topicRows } from '../../packages/kafka/test/support/topic-table.ts'
import { currentIndex, indexText } from './index-vectors.mjs'
import { Judge, type Verdict } from './judge.ts'
import { summary, writePart } from './results.ts'

/** The rows are run one by one, with a test for each, by the packages they belong to; here each table is one vector. */
const TABLES: Readonly<Record<string, readonly UnitRow[]>> = {
  ...unitTables,
  'unit-amqp1-addresses': addressRows,
  'unit-kafka-topics': topicRows,
}

/** Rows where another class of error is wanted. */
const OTHER_ERRORS: Readonly<Record<string, string>> = {
  'unit-version-compat': 'bad-versions-are-value-errors',
  'unit-notification-filter': 'fields-of-what-has-none-are-type-errors',
  'unit-transport-url': 'bad-urls-are-invalid-transport-urls',
}

const verdicts: (Verdict & { readonly ms: number })[] = []

describe('the vectors', () => {
  it('belong to families that are executed, each of them', () => {
    const names = readdirSync(new URL('../vectors/', import.meta.url)).filter((name) => /^[a-z].*-.*\.json$/.test(name))
    expect(names.length).toBeGreaterThanOrEqual(276)
    const unknown = names.filter(
      (name) => !/^(rabbit|amqp|kafka)-/.test(name) && TABLES[name.replace('.json', '')] === undefined,
    )
    expect(unknown).toEqual([])
  })

  it('are listed with their checksums', () => {
    // `node interop/golden/index-vectors.mjs` writes it.
    expect(currentIndex()).toBe(indexText())
  })
})

describe('tables that Python computed', () => {
  it.each(Object.entries(TABLES))('%s', (name, rows) => {
    const started = performance.now()
    const judge = new Judge(name)
    for (const { title, compute, python, here } of rows) {
      const excuse = OTHER_ERRORS[name]
      if (here !== undefined && excuse !== undefined) judge.excuse(excuse)
      judge.same(title, compute(), here ?? python)
    }
    const verdict = judge.verdict()
    verdicts.push({ ...verdict, ms: Math.round(performance.now() - started) })
    expect(verdict.details.join('\n')).toBe('')
  })

  afterAll(() => {
    writePart('unit', { versions: {}, verdicts })
    process.stdout.write(summary('unit', verdicts))
  })
})
