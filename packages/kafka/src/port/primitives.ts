/** Values of Kafka's protocol as bytes, for messages that are too small and too rare for a writer. */
export function int16(value: number): Buffer {
  const data = Buffer.alloc(2)
  data.writeInt16BE(value)
  return data
}

export function int32(value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeInt32BE(value)
  return data
}

/** UTF-8 after its length in bytes, int16. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}
