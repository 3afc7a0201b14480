import { EventEmitter } from 'node:events'
import { isCalledByFrameworks, isCalledByJavaScript } from './called-by-others.ts'
import { type AnyFunction, isExposed } from './marks.ts'

/** What one endpoint offers, and what it has besides, with the reason why that cannot be called. */
export interface Exposure {
  readonly offered: ReadonlySet<string>
  readonly withheld: ReadonlyMap<string, string>
}

/** Where the application's code ends and the platform's begins: functions from here on are nobody's interface. */
const PLATFORM: ReadonlySet<object> = new Set<object>([
  Object.prototype,
  Function.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  Error.prototype,
  EventTarget.prototype,
  EventEmitter.prototype,
])

/** Reads an endpoint once. Offered are the own functions of a plain object; of an instance the methods of its own
 *  class, and those of its base classes that `expose` marks; of a class given as endpoint its static methods. No getter
 *  is run. Decision: docs/adr/0016-what-an-endpoint-offers.md. */
export function exposureOf(endpoint: object): Exposure {
  const offered = new Set<string>()
  const withheld = new Map<string, string>()
  /** Names that something else than a function holds first: what lies below under that name cannot be reached. */
  const blocked = new Set<string>()
  for (const level of levelsOf(endpoint)) {
    for (const [name, found] of functionsOf(level)) {
      if (isCalledByJavaScript(name) || blocked.has(name) || offered.has(name)) continue
      if (found === undefined) {
        blocked.add(name)
        continue
      }
      const reason = reasonAgainst(name, found, level)
      if (reason === undefined) {
        // A field may stand in for a method, and a class between may override what a marked class offers.
        offered.add(name)
        withheld.delete(name)
      } else if (!withheld.has(name)) withheld.set(name, reason)
    }
  }
  return { offered, withheld }
}

/** The function that a name stands for in the endpoint's own code, which carries the marks; undefined where it is none.
 *  No getter is run. */
export function declaredFunction(endpoint: object, name: string): AnyFunction | undefined {
  for (const { owner, kind } of levelsOf(endpoint)) {
    if (kind === 'fields' || !Object.hasOwn(owner, name)) continue
    const value: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value
    return typeof value === 'function' ? (value as AnyFunction) : undefined
  }
  return undefined
}

/** One object of an endpoint's chain of prototypes. */
interface Level {
  readonly owner: object
  /** What its functions are. */
  readonly kind: 'plain' | 'fields' | 'statics' | 'methods'
  /** They belong to the plain object or to the endpoint's own class, not to one further down. */
  readonly isOwn: boolean
}

function levelsOf(endpoint: object): readonly Level[] {
  const kind = typeof endpoint === 'function' ? 'statics' : isPlain(endpoint) ? 'plain' : 'fields'
  const levels: Level[] = [{ owner: endpoint, kind, isOwn: true }]
  let owner = Object.getPrototypeOf(endpoint) as object | null
  while (owner !== null && !PLATFORM.has(owner) && !isObjectPrototype(owner)) {
    const isOwn = kind === 'fields' && levels.length === 1
    levels.push({ owner, kind: kind === 'statics' ? 'statics' : 'methods', isOwn })
    owner = Object.getPrototypeOf(owner) as object | null
  }
  return levels
}

/** Made by a literal, by `Object.create` from another such object, or an imported module. */
function isPlain(endpoint: object): boolean {
  const prototype = Object.getPrototypeOf(endpoint) as object | null
  return prototype === null || isObjectPrototype(prototype) || !Object.hasOwn(prototype, 'constructor')
}

/** Of whatever realm: test runners make several. */
function isObjectPrototype(object: object): boolean {
  return Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'hasOwnProperty')
}

/** The names of a level, with the function that each holds; undefined: something else. */
function functionsOf({ owner, kind }: Level): readonly (readonly [string, AnyFunction | undefined])[] {
  return Object.entries(Object.getOwnPropertyDescriptors(owner)).flatMap(([name, { value, enumerable }]) => {
    // The static methods of a class are hidden and its static fields are not; with a plain object it is the other way
    // round.
    if ((kind === 'statics' && enumerable === true) || (kind === 'plain' && enumerable !== true)) return []
    const isFunction = typeof value === 'function' && !isClass(value)
    return [[name, isFunction ? (value as AnyFunction) : undefined] as const]
  })
}

function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}

function reasonAgainst(name: string, found: AnyFunction, { owner, kind, isOwn }: Level): string | undefined {
  const isMarked = isExposed(found)
  if (kind === 'fields') return 'it is a field that holds a function, and only methods are offered'
  if (isCalledByFrameworks(name) && !isMarked)
    return 'frameworks call methods of that name by themselves; mark it with expose to offer it'
  if (isOwn || isMarked) return undefined
  return `it belongs to the base class ${nameOfOwner(owner)}, which does not offer it; mark it there with expose`
}

function nameOfOwner(owner: object): string {
  const Class: unknown = typeof owner === 'function' ? owner : owner.constructor
  return typeof Class === 'function' && Class.name !== '' ? Class.name : '(without a name)'
}
