import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { idempotencyStoreCases } from '@oslo-messaging/conformance/idempotency'
import { PostgresIdempotencyStore, type SqlClient } from '../src/index.ts'

// PostgreSQL itself, compiled to WebAssembly: one connection, in this process.
// Its declarations need those of browsers, so that the compiler is not shown them.
const pglite: string = '@electric-sql/pglite'
const { PGlite } = (await import(pglite)) as { readonly PGlite: new () => SqlClient & { close(): Promise<void> } }
const database = new PGlite()
afterAll(async () => await database.close())
const store = new PostgresIdempotencyStore(database)
await store.prepare()

describe('idempotency store over PostgreSQL', () => {
  const open = () => ({ store, other: new PostgresIdempotencyStore(database), pass: sleep })
  for (const { name, run } of idempotencyStoreCases) it(name, async () => await run(open))
})

it('what is over is deleted', async () => {
  await store.claim('over', { owner: 'a', leaseMs: 1 })
  await sleep(5)
  await store.forget()
  const { rows } = await database.query("SELECT id FROM handled_messages WHERE id = 'over'")
  expect(rows).toEqual([])
})
