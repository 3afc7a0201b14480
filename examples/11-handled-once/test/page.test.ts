import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../../docs/idempotency.md'), 'utf8')

it.each(['redis-store.ts', 'postgres-store.ts'])('docs/idempotency.md shows %s as it is tested here', (file) => {
  expect(page).toContain(readFileSync(join(import.meta.dirname, '../src', file), 'utf8').trim())
})
