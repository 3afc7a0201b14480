import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'

/** Where packages are found by their names, the driver by the scheme of a URL too: CI has them from tarballs. */
const BESIDE = process.env['OSLO_MESSAGING_INSTALLED'] ?? import.meta.dirname
const README = join(import.meta.dirname, '../../../README.md')

/** Runs the program below a heading of the README as it stands there, beside a service.conf with that URL for both
 *  buses. Once it has printed `until` it is told to end.
 *  Resolves with what it printed, when it has ended well. */
export async function runReadme(heading: string, url: string, until?: string): Promise<string> {
  const [, block = ''] = (await readFile(README, 'utf8')).split(`\n## ${heading}\n`)
  const [, text = ''] = /```ts\n(.*?)```/s.exec(block) ?? []
  const { outputText } = transpileModule(text, {
    compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 },
  })
  const folder = await mkdtemp(join(BESIDE, '.readme-'))
  try {
    await writeFile(join(folder, 'main.mjs'), outputText)
    await writeFile(
      join(folder, 'service.conf'),
      `[DEFAULT]\ntransport_url = ${url}\n[oslo_messaging_notifications]\ndriver = messagingv2\n`,
    )
    const program = spawn(process.execPath, ['main.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    let isTold = false
    program.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
      // Once: a second one would end it at once.
      if (until !== undefined && !isTold && printed.includes(until)) isTold = program.kill('SIGTERM')
    })
    const [code, signal] = (await once(program, 'close')) as [number | null, string | null]
    if (code !== 0) throw new Error(`${heading} ended with ${code ?? signal} after it had printed ${printed}`)
    return printed
  } finally {
    await rm(folder, { recursive: true })
  }
}
