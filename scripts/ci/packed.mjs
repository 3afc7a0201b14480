import { tarballs } from './tarballs.mjs'
import { bin } from './tools.mjs'

/** publint judges the tarball of a package, and attw its types where it has code. */
export async function checkPacked(manifest) {
  return await checkTarball(manifest, (await tarballs()).get(manifest.name))
}

/** The same for a tarball that is somewhere. */
export async function checkTarball({ exports: doors }, tarball) {
  const isData = Object.keys(doors).every((door) => /\.(json|md)$/.test(door))
  const verdict = await bin('publint', 'run', '--strict', tarball)
  if (isData) return verdict
  // Declarations for `require` stand before an ES module, which Node 20.19 requires and attw does not know of: the step
  // "compilers of applications" compiles and runs such programs instead.
  const isRequired = Object.values(doors).some((door) => typeof door === 'object' && 'require' in door)
  return await bin('attw', tarball, '--profile', 'esm-only', ...(isRequired ? ['--ignore-rules', 'false-cjs'] : []))
}
