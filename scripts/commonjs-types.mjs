// Copies the declarations of the package in the current folder to dist/commonjs, where they count as CommonJS: a compiler with `module: node16` refuses to `require` what is
// declared in an ES module, although Node can. The code itself is not copied. Runs before a package is packed.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const to = join('dist', 'commonjs')
rmSync(to, { recursive: true, force: true })
for (const file of readdirSync('dist', { recursive: true })) {
  if (!file.endsWith('.d.ts')) continue
  mkdirSync(dirname(join(to, file)), { recursive: true })
  cpSync(join('dist', file), join(to, file))
}
writeFileSync(join(to, 'package.json'), '{ "type": "commonjs" }\n')
