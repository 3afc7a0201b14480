import type { ClaimState, IdempotencyStore } from '@oslo-messaging/core'

/** What is used of a client: that of the package `redis` has it. */
export interface RedisClient {
  eval(script: string, options: { readonly keys: string[]; readonly arguments: string[] }): Promise<unknown>
}

// A script is one atomic step. The value of a key is the owner, or `done`; Redis forgets it when its time is over.
const CLAIM = `
local value = redis.call('GET', KEYS[1])
if value == 'done' then return 'done' end
if value and value ~= ARGV[1] then return 'held' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'claimed'`

const DONE = `return redis.call('SET', KEYS[1], 'done', 'PX', ARGV[1])`

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`

export class RedisIdempotencyStore implements IdempotencyStore {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix = 'handled:') {
    this.#client = client
    this.#prefix = prefix
  }

  async claim(id: string, claim: { readonly owner: string; readonly leaseMs: number }): Promise<ClaimState> {
    return (await this.#run(CLAIM, id, claim.owner, claim.leaseMs)) as ClaimState
  }

  async done(id: string, claim: { readonly keepMs: number }): Promise<void> {
    await this.#run(DONE, id, claim.keepMs)
  }

  async release(id: string, claim: { readonly owner: string }): Promise<void> {
    await this.#run(RELEASE, id, claim.owner)
  }

  async #run(script: string, id: string, ...values: (string | number)[]): Promise<unknown> {
    return await this.#client.eval(script, { keys: [this.#prefix + id], arguments: values.map(String) })
  }
}
