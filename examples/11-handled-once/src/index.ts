export { PostgresIdempotencyStore, type SqlClient } from './postgres-store.ts'
export { RedisIdempotencyStore, type RedisClient } from './redis-store.ts'
