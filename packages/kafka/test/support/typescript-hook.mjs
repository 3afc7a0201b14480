// `node --import ./typescript-hook.mjs program.ts`: Node 20 runs the sources of the packages, so that a child process
// tests what is written and not what was built last. What was made of a source once is kept: compiling all of them takes
// a child nine seconds of CPU, which a busy machine makes a minute of.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const KEPT = join(tmpdir(), 'oslo-messaging-compiled')

// Node 26 warns of `register`, and Node 20 has nothing else. The hooks of `registerHooks` are of one thread, and each
// worker imports this file, too.
if (module.registerHooks !== undefined) module.registerHooks({ load })
else if (isMainThread) module.register(import.meta.url)

export function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const text = readFileSync(fileURLToPath(url), 'utf8')
  const file = join(KEPT, `${createHash('sha256').update(url).update(text).digest('hex')}.js`)
  return { format: 'module', shortCircuit: true, source: kept(file) ?? compile(url, text, file) }
}

function kept(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function compile(url, text, file) {
  const { ModuleKind, ScriptTarget, transpileModule } = createRequire(import.meta.url)('typescript')
  const { outputText } = transpileModule(text, {
    fileName: fileURLToPath(url),
    compilerOptions: {
      module: ModuleKind.ESNext,
      target: ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  })
  // Renamed, because other children read it meanwhile.
  const written = `${file}.${randomUUID()}`
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(written, outputText)
  renameSync(written, file)
  return outputText
}
