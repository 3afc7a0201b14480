const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/** The partition of a keyed record, as the clients of Java and Python find it: whoever sends with one key reaches one
 *  partition, whatever it is written in. It moves when the topic gets more partitions.
 *  Source: org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey. */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** MurmurHash2 in 32 bits, as a signed number. Source: org.apache.kafka.common.utils.Utils.murmur2. */
function murmur2(data: Buffer): number {
  let hash = SEED ^ data.length
  const whole = data.length - (data.length % 4)
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(data.readInt32LE(index), MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  if (whole < data.length) {
    for (let index = data.length - 1; index >= whole; index -= 1) hash ^= data.readUInt8(index) << ((index - whole) * 8)
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
