// Puts the parts of a full run together (interop/results) and writes docs/interop.md. `--check` only compares the table
// of known differences on the page with its source.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { differencesTable, pageText } from './page.mjs'

const RESULTS = join(import.meta.dirname, '../results')
const PAGE = join(import.meta.dirname, '../../docs/interop.md')
const FAMILIES = ['rabbit', 'amqp', 'kafka', 'unit', 'json']
/** The live matrix, and the part of it that `npm test` runs: the page shows the larger one that there is. */
const MATRIX = ['live', 'live-everyday']

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const { differences } = readJson(join(import.meta.dirname, 'differences.json'))

/** Ids are used once, and every row says why and where that was decided. */
function complaintsOfTable() {
  const ids = differences.map(({ id }) => id)
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `differences.json has two rows ${id}`),
    ...differences
      .filter(({ what, reason }) => (what ?? '').length < 20 || (reason ?? '').length < 20)
      .map(({ id }) => `${id}: what and reason must be sentences`),
    ...differences
      .filter(({ reference }) => !/^(ADR \d{4}|WIRE \d+(\.\d+)?|docs\/[\w-]+\.md)$/.test(reference))
      .map(({ id, reference }) => `${id}: ${reference} is no ADR, no row of WIRE.md and no page`),
  ]
}

function check() {
  const complaints = complaintsOfTable()
  if (!existsSync(PAGE)) complaints.push('docs/interop.md is missing: npm run interop writes it')
  else if (!readFileSync(PAGE, 'utf8').includes(differencesTable(differences)))
    complaints.push(
      'The differences in docs/interop.md are not those of interop/golden/differences.json: node interop/golden/report.mjs writes the page again',
    )
  return complaints
}

/** One object for everything golden, as other tools may want to read it. */
function gather() {
  const golden = {}
  for (const family of FAMILIES) {
    const path = join(RESULTS, 'golden', `${family}.json`)
    if (!existsSync(path))
      throw new Error(`${path} is missing: npm run interop, without further words, makes all of it`)
    golden[family] = readJson(path)
  }
  const live = {}
  for (const file of existsSync(RESULTS) ? readdirSync(RESULTS).toSorted().toReversed() : []) {
    const name = basename(file, '.json')
    if (!file.endsWith('.json') || name === 'golden') continue
    live[name] = readJson(join(RESULTS, file))
  }
  const sizes = MATRIX.map((name) => live[name]?.cells.length ?? 0)
  delete live[MATRIX[sizes[0] >= sizes[1] ? 1 : 0]]
  return { golden, live }
}

/** A difference of the vectors that shows nowhere any more has to leave the table. */
function stale(golden) {
  const shown = new Set(Object.values(golden).flatMap(({ verdicts }) => verdicts.flatMap((each) => each.differences)))
  return differences
    .filter(({ id, scope }) => scope !== 'live' && !shown.has(id))
    .map(({ id }) => `${id} showed in no vector: take its row out of differences.json`)
}

/** When each part was found, and how much it is. */
function partsOf(golden, live) {
  const minute = (text) => text.slice(0, 16).replace('T', ' ')
  return [
    ...Object.entries(golden).map(([name, part]) => [
      `golden, ${name}`,
      minute(part.generatedAt),
      `${part.verdicts.length} ${name === 'json' ? 'directions' : 'vectors'}`,
    ]),
    ...Object.entries(live).map(([name, part]) => [name, minute(part.generatedAt), `${part.cells.length} cells`]),
  ]
}

function write() {
  const { golden, live } = gather()
  const versions = { date: new Date().toISOString().slice(0, 10), Node: process.versions.node }
  for (const part of [...Object.values(golden), ...Object.values(live)]) Object.assign(versions, part.versions)
  const verdicts = Object.values(golden).flatMap((part) => part.verdicts)
  const summary = { generatedAt: new Date().toISOString(), versions, verdicts }
  writeFileSync(join(RESULTS, 'golden.json'), `${JSON.stringify(summary, null, 1)}\n`)
  writeFileSync(PAGE, pageText({ golden, live, differences, versions, parts: partsOf(golden, live) }))
  const outcomes = ['equal', 'equal but for', 'differs'].map(
    (outcome) => `${verdicts.filter((each) => each.outcome === outcome).length} ${outcome}`,
  )
  console.log(`docs/interop.md is written: ${verdicts.length} vectors and JSON runs (${outcomes.join(', ')})`)
  for (const [name, { cells }] of Object.entries(live)) {
    const failed = cells.filter(({ outcome }) => outcome === 'fail').length
    console.log(`${name}: ${cells.length} cells, ${failed} failed`)
  }
  return [
    ...complaintsOfTable(),
    ...stale(golden),
    ...verdicts.filter(({ outcome }) => outcome === 'differs').map(({ vector }) => `${vector} differs`),
    ...('live' in live ? [] : ['interop/results/live.json is missing: the live matrix did not run']),
    ...Object.entries(live).flatMap(([name, { cells }]) =>
      cells.some(({ outcome }) => outcome === 'fail') ? [`${name} has failed cells`] : [],
    ),
  ]
}

const complaints = process.argv.includes('--check') ? check() : write()
for (const complaint of complaints) console.error(complaint)
process.exitCode = complaints.length === 0 ? 0 : 1
