/** What is known of one service's notifications: generated tables of this shape are beside this file.
 *
 *  A field's kind is a text: `string`, `integer`, `float`, `boolean`, `any`, or `@Class` for an object of the same
 *  service; `x[]` is a list, `{x}` a map by name; `x?` may be null; `~x` may be absent. Dates and UUIDs are texts. */
export interface ServiceFacts {
  readonly service: string
  /** Package versions that the facts were read from. */
  readonly source: string
  /** Keys of versioned objects begin with it (`nova_object`); null where payloads are plain objects. */
  readonly prefix: string | null
  readonly objects: Readonly<Record<string, ObjectFacts>>
  /** Event type to the class of its payload. */
  readonly events: Readonly<Record<string, string>>
}

/** The fields of one class. */
export interface ObjectFacts {
  /** `major.minor`; absent for plain objects. */
  readonly version?: string
  /** Its fields come first. */
  readonly base?: string
  readonly fields: Readonly<Record<string, string>>
}

/** By class, for each payload asks for them again. */
const allFields = new WeakMap<ObjectFacts, ReadonlyMap<string, string>>()

/** All fields of a class with their kinds, those of its bases included. */
export function fieldsOf(facts: ServiceFacts, name: string): ReadonlyMap<string, string> {
  const own = facts.objects[name]
  if (own === undefined) return new Map()
  const known = allFields.get(own)
  if (known !== undefined) return known
  const { base, fields } = own
  const found = new Map([...(base === undefined ? [] : fieldsOf(facts, base)), ...Object.entries(fields)])
  allFields.set(own, found)
  return found
}

/** Whether objects of class `name` are also of class `expected`. */
export function isKindOf(facts: ServiceFacts, name: string | undefined, expected: string): boolean {
  return name !== undefined && (name === expected || isKindOf(facts, facts.objects[name]?.base, expected))
}
