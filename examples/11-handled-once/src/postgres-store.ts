import type { ClaimState, IdempotencyStore } from '@oslo-messaging/core'

/** What is used of a client: a `Pool` of the package `pg` has it. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

const TABLE = `
CREATE TABLE IF NOT EXISTS handled_messages (
  id text PRIMARY KEY,
  owner text NOT NULL,
  is_done boolean NOT NULL,
  until timestamptz NOT NULL
)`

// One statement is one atomic step: of two that ask at once the second sees the row of the first.
const CLAIM = `
INSERT INTO handled_messages AS held (id, owner, is_done, until)
VALUES ($1, $2, false, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, is_done = false, until = excluded.until
WHERE held.until <= clock_timestamp() OR (held.owner = excluded.owner AND NOT held.is_done)
RETURNING id`

const STATE = `SELECT id FROM handled_messages WHERE id = $1 AND is_done AND until > clock_timestamp()`

const DONE = `
INSERT INTO handled_messages (id, owner, is_done, until)
VALUES ($1, $2, true, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (id) DO UPDATE SET is_done = true, until = excluded.until`

const RELEASE = `DELETE FROM handled_messages WHERE id = $1 AND owner = $2 AND NOT is_done`

const FORGET = `DELETE FROM handled_messages WHERE until <= clock_timestamp()`

export class PostgresIdempotencyStore implements IdempotencyStore {
  readonly #client: SqlClient

  constructor(client: SqlClient) {
    this.#client = client
  }

  /** Makes the table, once. */
  async prepare(): Promise<void> {
    await this.#client.query(TABLE)
  }

  /** Deletes what is over; for a job that runs now and then. */
  async forget(): Promise<void> {
    await this.#client.query(FORGET)
  }

  async claim(id: string, claim: { readonly owner: string; readonly leaseMs: number }): Promise<ClaimState> {
    const claimed = await this.#client.query(CLAIM, [id, claim.owner, claim.leaseMs])
    if (claimed.rows.length > 0) return 'claimed'
    const done = await this.#client.query(STATE, [id])
    return done.rows.length > 0 ? 'done' : 'held'
  }

  async done(id: string, claim: { readonly owner: string; readonly keepMs: number }): Promise<void> {
    await this.#client.query(DONE, [id, claim.owner, claim.keepMs])
  }

  async release(id: string, claim: { readonly owner: string }): Promise<void> {
    await this.#client.query(RELEASE, [id, claim.owner])
  }
}
