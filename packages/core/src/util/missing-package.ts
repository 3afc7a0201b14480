/** The package that an import did not find, as npm calls it; undefined for any other failure, and for a missing
 *  file. */
export function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && String(error.code).endsWith('MODULE_NOT_FOUND'))) return undefined
  const [, name] = /Cannot find (?:package|module) '((?:@[\w.-]+\/)?[\w.-]+)[^']*'/.exec(error.message) ?? []
  return name?.startsWith('.') ? undefined : name
}
