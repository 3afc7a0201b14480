// `node --import ./typescript-hook.mjs program.ts`: Node 20 runs the sources of the packages, so that a child process
// tests what is written and not what was built last. What was made of a source once is kept: compiling all of them takes
// a child nine seconds of CPU, which a busy machine makes a minute of.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { register } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const KEPT = join(tmpdir(), 'oslo-messaging-compiled')

if (isMainThread) register(import.meta.url)

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return await nextLoad(url, context)
  const text = await readFile(fileURLToPath(url), 'utf8')
  const file = join(KEPT, `${createHash('sha256').update(url).update(text).digest('hex')}.js`)
  const source = (await readFile(file, 'utf8').catch(() => undefined)) ?? (await compile(url, text, file))
  return { format: 'module', shortCircuit: true, source }
}

async function compile(url, text, file) {
  const { default: typescript } = await import('typescript')
  const { ModuleKind, ScriptTarget, transpileModule } = typescript
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
  await mkdir(KEPT, { recursive: true })
  await writeFile(written, outputText)
  await rename(written, file)
  return outputText
}
