// Makes what is published of the package in the current folder: its built modules rolled into a few files, because a
// program that starts pays for each file it loads (ADR 20), and all the rest as it is. `pnpm pack` runs this first and
// then packs the folder `published` (package.json: prepack, publishConfig.directory).
// Usage: node ../../scripts/publish-folder.mjs [FOLDER], to have it somewhere else: in a folder that is empty or not
// there yet.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { rollup } from 'rollup'

/** Bytes below which a file is put into another one that loads it. */
const SMALL = 20_000
const PURE = '/* @__PURE__ */ '

const [, , given] = process.argv
const to = resolve(given ?? 'published')
if (given !== undefined && existsSync(to) && readdirSync(to).length > 0) {
  console.error(`${given} is not empty, and what is in it would be deleted: name a folder that is not there yet`)
  process.exit(2)
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))

rmSync(to, { recursive: true, force: true })
mkdirSync(to, { recursive: true })
copyAllButCode()
await rollCode()
if (Object.values(manifest.exports).some(({ require }) => require !== undefined)) declareForCommonJs()
writeManifest()

/** Declarations stay one for each module: only compilers read them, and their maps lead to the sources. */
function copyAllButCode() {
  const isWanted = (file) => !/^dist[\\/](?:.*\.js(?:\.map)?|\.tsbuildinfo)$/.test(file)
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', ...manifest.files])
    if (existsSync(name)) cpSync(name, join(to, name), { recursive: true, filter: isWanted })
}

/** Each door is a file, and so is what is loaded late; what the first door loads at once is in one file for all of
 *  them, so each module is there once. Nothing is minified: names in stacks are those of the sources, and maps lead
 *  there. */
async function rollCode() {
  const doors = Object.values(manifest.exports).flatMap((door) => (typeof door === 'object' ? [door.default] : []))
  const bundle = await rollup({
    input: Object.fromEntries(doors.map((file) => [file.slice('./dist/'.length, -'.js'.length), file])),
    external: (name) => !name.startsWith('.') && !isAbsolute(name),
    treeshake: { moduleSideEffects: false },
    plugins: [{ name: 'as built', load: readBuilt, transform: markPure }],
    // The compiler's helpers ask for a `this` that modules do not have, and do without.
    onwarn: ({ code, message }) => {
      if (code !== 'THIS_IS_UNDEFINED') throw new Error(`${manifest.name}: ${message}`)
    },
  })
  const { output } = await bundle.write({
    dir: join(to, 'dist'),
    format: 'es',
    sourcemap: true,
    sourcemapExcludeSources: true,
    minifyInternalExports: false,
    chunkFileNames: 'rolled/[name].js',
    manualChunks: { main: [doors[0]] },
    experimentalMinChunkSize: SMALL,
  })
  for (const { fileName, code } of output) if (code !== undefined) refuseRenamed(fileName, code)
}

/** A module as the compiler wrote it, with the map that it wrote. */
function readBuilt(file) {
  const code = readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
  return { code, map: JSON.parse(readFileSync(`${file}.map`, 'utf8')) }
}

/** Marks calls and classes at the top of a module as without effect, which package.json says of every module
 *  (`sideEffects`): bundlers of applications leave a module out when nothing of it is used, and in a rolled file they
 *  see one. No line moves. */
function markPure(code) {
  const inserts = this.parse(code).body.flatMap((statement) => {
    const declared = statement.declaration ?? statement
    if (declared.type === 'VariableDeclaration')
      return declared.declarations
        .filter(({ init }) => init?.type === 'CallExpression' || init?.type === 'NewExpression')
        .map(({ init }) => [init.start, PURE])
    if (declared.type !== 'ClassDeclaration' || !declared.body.body.some(({ type }) => type === 'StaticBlock'))
      return []
    const { name } = declared.id
    return [
      [declared.start, `const ${name} = ${PURE}(() => { `],
      [declared.end, ` return ${name} })();`],
    ]
  })
  let marked = code
  for (const [at, text] of inserts.toReversed()) marked = marked.slice(0, at) + text + marked.slice(at)
  return { code: marked, map: null }
}

/** Two classes of one name in one file: the second would be renamed, and its name is what users see. */
function refuseRenamed(fileName, code) {
  const renamed = /\bclass (\w+)\$\d+\b/.exec(code)
  if (renamed !== null)
    throw new Error(`${manifest.name}: two classes named ${renamed[1]} meet in ${fileName}: give one another name`)
}

/** Copies the declarations to dist/commonjs, where they count as CommonJS: a compiler with `module: node16` refuses to
 *  `require` what is declared in an ES module, although Node can. The code itself is not copied. */
function declareForCommonJs() {
  const [from, copy] = [join(to, 'dist'), join(to, 'dist', 'commonjs')]
  for (const file of readdirSync(from, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(from, file), join(copy, file))
  }
  writeFileSync(join(copy, 'package.json'), '{ "type": "commonjs" }\n')
}

/** What only this workspace needs is left out. */
function writeManifest() {
  const { scripts: _scripts, devDependencies: _tools, publishConfig, ...rest } = manifest
  const { directory: _directory, linkDirectory: _link, ...publish } = publishConfig
  writeFileSync(join(to, 'package.json'), `${JSON.stringify({ ...rest, publishConfig: publish }, null, 2)}\n`)
}
