import type { ObjectFacts, ServiceFacts } from './kinds.ts'

/** What neutron sends about one resource, by action and phase: the body of the request before, and what its API shows
 *  afterwards. `Name` is the resource on the wire, `security_group`. Source: neutron/pecan_wsgi/hooks/notifier.py. */
export interface ResourcePayloads<Name extends string, Resource> {
  readonly 'create.start': OneOrMany<Name, Requested<Resource>>
  readonly 'create.end': OneOrMany<Name, Resource>
  readonly 'update.start': { readonly [Key in Name]?: Requested<Resource> } & { readonly id: string }
  readonly 'update.end': { readonly [Key in Name]: Resource }
  readonly 'delete.start': { readonly [Key in `${Name}_id`]: string }
  readonly 'delete.end': { readonly [Key in `${Name}_id`]: string } & { readonly [Key in Name]: Requested<Resource> }
}

/** Event type to payload, of one resource. */
export type ResourceNotifications<Name extends string, Resource> = {
  readonly [Event in keyof ResourcePayloads<Name, Resource> as `${Name}.${Event}`]: ResourcePayloads<
    Name,
    Resource
  >[Event]
}

/** A resource in the body of a request: each field may be absent or null. */
export type Requested<Resource> = { readonly [Field in keyof Resource]?: Resource[Field] | null }

/** One under its name, or those of a bulk request under the plural. */
type OneOrMany<Name extends string, Body> = { readonly [Key in Name]?: Body } & {
  readonly [Key in `${Name}s`]?: readonly Body[]
}

/** The same as data, with the classes of the payloads named as `NetworkCreateStart`. */
export function resourceFacts(
  resources: Readonly<Record<string, ObjectFacts & { readonly className: string }>>,
): Pick<ServiceFacts, 'objects' | 'events'> {
  const objects: Record<string, ObjectFacts> = {}
  const events: Record<string, string> = {}
  for (const [name, { className, fields }] of Object.entries(resources)) {
    const [shown, requested] = [`@${className}`, `@${className}Request`]
    const payloads: Readonly<Record<keyof ResourcePayloads<string, unknown>, ObjectFacts['fields']>> = {
      'create.start': { [name]: `~${requested}`, [`${name}s`]: `~${requested}[]` },
      'create.end': { [name]: `~${shown}`, [`${name}s`]: `~${shown}[]` },
      'update.start': { [name]: `~${requested}`, id: 'string' },
      'update.end': { [name]: shown },
      'delete.start': { [`${name}_id`]: 'string' },
      'delete.end': { [`${name}_id`]: 'string', [name]: requested },
    }
    objects[className] = { fields }
    objects[`${className}Request`] = { fields: requestedFields(fields) }
    for (const [event, payload] of Object.entries(payloads)) {
      const payloadName = className + event.replaceAll(/(?:^|\.)(\w)/g, (_match, first: string) => first.toUpperCase())
      objects[payloadName] = { fields: payload }
      events[`${name}.${event}`] = payloadName
    }
  }
  return { objects, events }
}

function requestedFields(fields: ObjectFacts['fields']): ObjectFacts['fields'] {
  return Object.fromEntries(
    Object.entries(fields).map(([field, kind]) => [field, kind.replace(/^~?(.*?)\??$/, '~$1?')]),
  )
}
