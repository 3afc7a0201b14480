import { ValueError } from '../wire/python-errors.ts'

/** Whether an implementation of version `implemented` serves a request for `requested`.
 *  Same major, requested minor not above the implemented one, with equal minors no higher revision (default 0). Nothing
 *  implemented (null) serves everything; nothing requested (null) is served by nothing else.
 *  Throws ValueError for a version without a whole major and minor number. Source: version_is_compatible. */
export function isVersionCompatible(implemented: string | null, requested: string | null): boolean {
  if (implemented === null) return true
  if (requested === null) return false
  const theirs = requested.split('.')
  const ours = implemented.split('.')
  if (part(theirs, 0, requested) !== part(ours, 0, implemented)) return false
  const minor = part(theirs, 1, requested)
  const ourMinor = part(ours, 1, implemented)
  if (minor !== ourMinor) return minor < ourMinor
  return revision(theirs, requested) <= revision(ours, implemented)
}

/** Whether the text is a version: whole major and minor numbers and, if it likes, a revision. */
export function isVersion(text: string): boolean {
  return /^\d+\.\d+(\.\d+)?$/.test(text)
}

function part(parts: readonly string[], index: number, version: string): number {
  const text = parts[index]
  if (text === undefined || !/^\d+$/.test(text))
    throw new ValueError(`Version must contain a major and minor integer. Got ${version}`)
  return Number(text)
}

function revision(parts: readonly string[], version: string): number {
  return parts.length > 2 ? part(parts, 2, version) : 0
}
