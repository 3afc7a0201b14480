// npm run conformance -- rabbit-3.10 --level 2: runs the suite at a real broker, with proxies that break the network,
// and writes docs/conformance/, or the folder of `--to`. `--table` alone writes the tables anew from the reports that
// are there; `--check` compares them.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type ConformanceCase, conformanceChapters, type Level, runCase } from '@oslo-messaging/conformance'
import {
  type CaseResult,
  type ConformanceResults,
  formatBadge,
  formatSupportTable,
  runConformance,
} from '@oslo-messaging/conformance/results'
import type { Bench } from './bench.ts'
import { subjects } from './subjects.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, 'docs/conformance')
const BEGIN = '<!-- reports of conformance: npm run conformance -- --table -->'
const END = '<!-- end of the reports -->'
const LEVELS: readonly Level[] = [0, 1, 2, 3, 4]

async function run(name: string, level: Level, seed: string | undefined, only: RegExp): Promise<ConformanceResults> {
  const make = subjects[name]
  if (make === undefined) throw new Error(`There is no ${name}: ${Object.keys(subjects).join(', ')}`)
  await using bench = await make(name)
  const chapters = Object.fromEntries(
    Object.entries(conformanceChapters).map(([title, cases]) => [
      title,
      cases.filter((each) => only.test(each.name)).map((each) => whereItBelongs(each, bench)),
    ]),
  )
  const knobs = { ...bench.options.knobs, ...(seed === undefined ? {} : { seed }) }
  return await runConformance(chapters, bench.subject, { ...bench.options, knobs, level }, say)
}

/** A case that kills a node runs at a cluster of its own, started for it: several nodes would make all the others
 *  slow. */
function whereItBelongs(testCase: ConformanceCase, { cluster }: Bench): ConformanceCase {
  if (cluster === undefined || !testCase.needs.includes('lever killNode')) return testCase
  return {
    ...testCase,
    run: async () => {
      await using bench = await cluster()
      await runCase(testCase, { ...bench.options, describe: () => {}, it: () => {} })
    },
  }
}

function say({ outcome, name, tookMs, says }: CaseResult): void {
  if (outcome === 'left out') return
  console.log(`${outcome === 'passed' ? 'ok    ' : 'FAILED'} ${String(tookMs ?? 0).padStart(6)} ms  ${name}`)
  if (outcome === 'failed') console.log(`${says}\n`)
}

async function reports(): Promise<readonly ConformanceResults[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort()
  return await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as ConformanceResults),
  )
}

/** The documents with the table of the reports in them, by path. */
async function tables(): Promise<ReadonlyMap<string, string>> {
  const all = await reports()
  const wanted = new Map<string, string>()
  for (const [path, prefix] of [
    ['README.md', 'docs/conformance/'],
    ['docs/conformance/README.md', ''],
  ] as const) {
    const text = await readFile(join(root, path), 'utf8')
    const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)]
    if (before < 0 || after < before) throw new Error(`${path} has no place for the table: ${BEGIN} ... ${END}`)
    const table = formatSupportTable(all, ({ title }) => `${prefix}${title}.json`)
    wanted.set(path, `${text.slice(0, before)}${BEGIN}\n\n${table}\n${text.slice(after)}`)
  }
  return wanted
}

/** Without what a formatter may change in a table. */
function squeezed(text: string): string {
  return text.replaceAll(/ +|-{2,}/g, ' ').replaceAll(/ *\| */g, '|')
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      level: { type: 'string', default: '4' },
      seed: { type: 'string' },
      only: { type: 'string', default: '' },
      table: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      to: { type: 'string', default: folder },
    },
  })
  const level = LEVELS.find((each) => String(each) === values.level)
  if (level === undefined) throw new Error('--level is 0, 1, 2, 3 or 4')
  await mkdir(values.to, { recursive: true })
  let failed = 0
  for (const name of positionals) {
    const results = await run(name, level, values.seed, new RegExp(values.only))
    failed += results.cases.filter(({ outcome }) => outcome === 'failed').length
    console.log(`${name}: level ${results.level ?? 'none'}, ${(results.tookMs / 1000).toFixed(1)} s`)
    if (values.only !== '') continue
    await writeFile(join(values.to, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`)
    await writeFile(join(values.to, `${name}.svg`), formatBadge(results))
  }
  if (values.only === '' && values.to === folder)
    for (const [path, text] of await tables()) {
      if (!values.check) await writeFile(join(root, path), text)
      else if (squeezed(await readFile(join(root, path), 'utf8')) !== squeezed(text)) {
        console.error(`${path} does not show the reports: npm run conformance -- --table`)
        failed += 1
      }
    }
  return failed === 0 ? 0 : 1
}

process.exit(await main())
