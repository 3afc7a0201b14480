/** What JavaScript calls by itself, besides everything that `Object.prototype` has; and `target`, which is a field of
 *  endpoints. */
const BY_JAVASCRIPT: ReadonlySet<string> = new Set(['then', 'catch', 'finally', 'toJSON', 'prototype', 'target'])

/** What containers and frameworks call by themselves, the hooks of Nest and Angular by their pattern. */
const BY_FRAMEWORKS =
  /^(?:close|dispose|destroy|handleEvent|(?:on|before|after)(?:Module|Application)[A-Z]\w*|ng(?:On|Do|After)[A-Z]\w*)$/

/** Methods of such a name are never offered, marked or not: whoever could call `then` or `toJSON` would reach what was
 *  not meant as an interface. */
export function isCalledByJavaScript(name: string): boolean {
  return name in Object.prototype || BY_JAVASCRIPT.has(name)
}

/** Methods of such a name are offered only when that very method is marked. */
export function isCalledByFrameworks(name: string): boolean {
  return BY_FRAMEWORKS.test(name)
}
