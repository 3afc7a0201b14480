/** What a value is, in words that do not depend on JSON; the twin of `print_of` in peers/json_mirror.py. A number is an
 *  integer when it is whole and would be written without an exponent: JavaScript has no other way to tell. */
export function printOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return `bool:${value}`
  if (typeof value === 'bigint') return `int:${value}`
  if (typeof value === 'number') return isPlainInteger(value) ? `int:${BigInt(value)}` : floatPrint(value)
  if (typeof value === 'string') return `str:${Buffer.from(value, 'utf16le').swap16().toString('hex')}`
  if (Array.isArray(value)) return `list:[${value.map(printOf).join(',')}]`
  const parts = Object.entries(value as object).map(([key, inner]) => `${printOf(key)}=${printOf(inner)}`)
  return `dict:{${parts.toSorted().join(',')}}`
}

const isPlainInteger = (value: number): boolean =>
  Number.isInteger(value) && !Object.is(value, -0) && Math.abs(value) < 1e21

function floatPrint(value: number): string {
  if (Number.isNaN(value)) return 'float:nan'
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return `float:${bytes.toString('hex')}`
}

/** The same print with whole floats as the integers they become: what is equal after this differs only in that
 *  documented way. */
export function withoutWholeFloats(print: string): string {
  return print.replaceAll(/float:([0-9a-f]{16})/g, (whole: string, hex: string) => {
    const value = Buffer.from(hex, 'hex').readDoubleBE()
    return Number.isInteger(value) && Math.abs(value) < 1e21 ? `int:${BigInt(value)}` : whole
  })
}

/** True when a number came back as a bigint of the same value. */
export function isWidened(had: unknown, got: unknown): boolean {
  if (typeof had === 'number' && typeof got === 'bigint') return true
  if (Array.isArray(had) && Array.isArray(got)) return had.some((each, index) => isWidened(each, got[index]))
  if (typeof had !== 'object' || had === null || typeof got !== 'object' || got === null) return false
  return Object.entries(had).some(([key, each]) => isWidened(each, (got as Readonly<Record<string, unknown>>)[key]))
}
