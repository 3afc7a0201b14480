import { readFileSync } from 'node:fs'
import { join } from 'node:path'
// Writes what a full run found as docs/interop.md.

const escape = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (heads, rows) =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(escape).join(' | ')} |`).join('\n')

const SCOPES = {
  rabbit: 'RabbitMQ',
  amqp: 'AMQP 1.0',
  kafka: 'Kafka',
  unit: 'computed tables',
  json: 'JSON',
  live: 'live',
}

/** The table that is checked against differences.json: nothing of a run is in it. */
export function differencesTable(differences) {
  const heads = ['difference', 'where', 'what', 'why', 'see']
  return table(
    heads,
    differences.map(({ id, scope, what, reason, reference }) => [`\`${id}\``, SCOPES[scope], what, reason, reference]),
  )
}

const count = (list, key, value) => list.filter((each) => each[key] === value).length
const seconds = (ms) => (ms / 1000).toFixed(0)

function goldenTable(families) {
  const rows = Object.entries(families)
    .filter(([family]) => family !== 'json')
    .map(([family, { verdicts }]) => [
      SCOPES[family],
      verdicts.length,
      count(verdicts, 'outcome', 'equal'),
      count(verdicts, 'outcome', 'equal but for'),
      count(verdicts, 'outcome', 'differs'),
      verdicts.reduce((sum, { comparisons }) => sum + comparisons, 0),
    ])
  const sums = [1, 2, 3, 4, 5].map((column) => rows.reduce((sum, row) => sum + row[column], 0))
  const heads = ['family', 'vectors', 'equal', 'equal but for a documented difference', 'differ', 'comparisons']
  return table(heads, [...rows, ['all', ...sums]])
}

function shownTable(families, differences) {
  const verdicts = Object.values(families).flatMap((each) => each.verdicts)
  const rows = differences
    .map(({ id }) => [`\`${id}\``, verdicts.filter((verdict) => verdict.differences.includes(id)).length])
    .filter(([, times]) => times > 0)
  return table(['difference', 'vectors in which it showed'], rows)
}

const ROLES = [
  ['client', 'our client'],
  ['server', 'our server'],
  ['notifier', 'our notifier'],
  ['listener', 'our listener'],
  ['none', 'Python to Python'],
  ['both', 'ours to ours'],
  ['mixed', 'mixed'],
]

/** `12 of 13` of the cells that there are; a dash where there is none. */
function score(cells) {
  const real = cells.filter(({ outcome }) => outcome !== 'not applicable')
  return real.length === 0 ? '-' : `${count(real, 'outcome', 'pass')} of ${real.length}`
}

const unique = (list) => [...new Set(list)]

function matrixTable(cells) {
  const roles = ROLES.filter(([role]) => cells.some(({ ours }) => ours === role))
  const rows = unique(cells.map(({ transport, python }) => `${transport}\0${python}`)).map((name) => {
    const [transport, python] = name.split('\0')
    const mine = cells.filter((cell) => cell.transport === transport && cell.python === python)
    return [transport, python, ...roles.map(([role]) => score(mine.filter(({ ours }) => ours === role)))]
  })
  return table(['transport', 'Python', ...roles.map(([, title]) => title)], rows)
}

function featureTable(cells) {
  const rows = unique(cells.map(({ feature }) => feature)).map((feature) => {
    const mine = cells.filter((cell) => cell.feature === feature)
    return [feature, score(mine), count(mine, 'outcome', 'not applicable')]
  })
  return table(['feature', 'cells passed', 'not applicable'], rows)
}

function notes(cells, outcome) {
  const texts = cells.filter((cell) => cell.outcome === outcome).map(({ note }) => note ?? 'no reason given')
  return unique(texts).map(
    (text) => `- ${text.replaceAll('\n', ' ')} (${texts.filter((each) => each === text).length})`,
  )
}

function liveSection(title, { cells }) {
  const totals = ['pass', 'fail', 'not applicable', 'not run'].map(
    (outcome) => `${count(cells, 'outcome', outcome)} ${outcome}`,
  )
  const ms = cells.reduce((sum, each) => sum + each.ms, 0)
  const failed = cells
    .filter(({ outcome }) => outcome === 'fail')
    .map(
      ({ transport, python, ours, feature, note }) =>
        `- ${transport}, Python ${python}, ours ${ours}: ${feature}: ${note ?? ''}`,
    )
  return [
    `## ${title}`,
    `${cells.length} cells: ${totals.join(', ')}. ${seconds(ms)} s of waiting in all; stages run side by side.`,
    ...(failed.length === 0 ? [] : ['### Failed', failed.join('\n')]),
    matrixTable(cells),
    '### By feature',
    featureTable(cells),
    ...['not applicable', 'not run'].flatMap((outcome) => {
      const lines = notes(cells, outcome)
      return lines.length === 0 ? [] : [`Cells that are ${outcome}, with the reason:`, lines.join('\n')]
    }),
  ].join('\n\n')
}

const TITLES = {
  live: 'The live matrix',
  'live-everyday': 'The live matrix: the part of every day',
  'live-mixed': 'Mixed deployments',
  'live-cluster': 'A cluster that loses a node',
  'live-killed': 'Servers that die during a call',
  acceptance: 'The acceptance list, run three ways',
}

const EXCHANGES = readFileSync(join(import.meta.dirname, 'exchanges.md'), 'utf8').trim()

/** The whole page. `golden`: families by name; `live`: results by file name. */
export function pageText({ golden, live, differences, versions, parts }) {
  const json = golden.json.verdicts.map(({ vector, comparisons, outcome }) => [vector, comparisons, outcome])
  return `${[
    '# Interoperability with Python',
    'Written by `npm run interop` from what its parts found last, and not by hand. What is compared and how: [interop/README.md](../interop/README.md); the captured messages and the wire contract:\n[interop/vectors](../interop/vectors/README.md).',
    '## Versions and parts',
    table(['what', 'version'], Object.entries(versions)),
    table(['part', 'run at (UTC)', 'of'], parts),
    '## Captured messages',
    'Every file of `interop/vectors` is executed through the public API: what we send is recorded and compared with what Python sent, and what Python sent is put in front of us.\nRabbitMQ and Kafka are real brokers; the AMQP 1.0 peer is made of rhea.',
    goldenTable(golden),
    shownTable(golden, differences),
    'Random JSON values through Python and back, told apart by type and value on both sides:',
    table(['direction', 'comparisons', 'outcome'], json),
    ...Object.entries(live).map(([name, results]) => liveSection(TITLES[name] ?? `Live: ${name}`, results)),
    EXCHANGES,
    '## Known differences',
    'All of them. A difference that is not in this table fails the run; `WIRE` is [interop/vectors/WIRE.md](../interop/vectors/WIRE.md), `ADR` is [docs/adr](adr).',
    differencesTable(differences),
  ].join('\n\n')}\n`
}
