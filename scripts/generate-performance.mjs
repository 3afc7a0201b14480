// Writes docs/performance.md from the recorded results in bench/results, bench/limits.md and bench/allocations.json:
// node scripts/generate-performance.mjs
// With --check it only compares, and fails when they differ.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = join(root, 'docs/performance.md')
const folder = join(root, 'bench/results')

const HEAD = `# Performance

<!-- Written by scripts/generate-performance.mjs from bench/results, bench/limits.md and bench/allocations.json; CI compares. -->

Ours and a hand-written client with the same semantics took turns in one run. The ratio is throughput, ours over the peer's, of each pair of turns: the median, and the least and the greatest. Above 1 we are faster.
Only ratios can be set beside those of another machine; what each suite does, and who the peers are, is in [bench/README.md](https://github.com/oslo-messaging/oslo-messaging-node/blob/main/bench/README.md).

    npm run bench -- all --json bench/results/all.json    # writes a page as well
    npm run bench -- compare ONE.json OTHER.json          # which rows have become slower or faster
    npm run bench -- profile core --only "call in process"   # a flame graph
    node scripts/generate-performance.mjs                 # this page
`

const NOTES = {
  import: `A row sets two small differences side by side, each what a package adds to a process that does nothing: read the milliseconds, not the ratio.`,
}

const LIMITS = readFileSync(join(root, 'bench/limits.md'), 'utf8')

export function renderPerformance(results, allocations) {
  return [HEAD, ...results.map(renderSuite), LIMITS, renderAllocations(allocations)].join('\n')
}

function renderSuite({ suite, environment, rows }) {
  const about = Object.entries(environment)
    .filter(([key]) => key !== 'packages')
    .map(
      ([key, value]) =>
        `${key} ${
          typeof value === 'object'
            ? Object.entries(value)
                .map(([name, each]) => `${name} ${each}`)
                .join(', ')
            : value
        }`,
    )
  return [
    `## ${suite}`,
    '',
    about.join(' · '),
    '',
    ...(suite in NOTES ? [NOTES[suite], ''] : []),
    '| workload | at once | bytes | peer | ours/s | peer/s | p50 ms | p99 ms | CPU µs | ratio | from | to | pairs |',
    '|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows.map(({ workload, ours, peer, ratio, pairs }) =>
      cells([
        workload.name,
        workload.concurrency,
        workload.bytes,
        peer.name,
        figure(ours.perSec),
        figure(peer.perSec),
        figure(ours.p50Ms),
        figure(ours.p99Ms),
        figure(ours.cpuUsPerOp),
        `**${ratio.median.toFixed(2)}**`,
        ratio.min.toFixed(2),
        ratio.max.toFixed(2),
        pairs,
      ]),
    ),
    '',
  ].join('\n')
}

function renderAllocations({ node, marginPercent }) {
  const lines = Object.keys(node)
  const names = [...new Set(lines.flatMap((line) => Object.keys(node[line])))]
  return [
    '## Bytes allocated for a message',
    '',
    `With 1 KiB of records, in process, without the optimizing compiler: what the code asks for, the same on a busy machine and on a quiet one. CI fails when one of them is more than ${marginPercent} % off (\`npm run bench -- allocations\`).`,
    '',
    cells(['', ...lines.map((line) => `Node ${line}`)]),
    `|---|${lines.map(() => '--:|').join('')}`,
    ...names.map((name) => cells([name, ...lines.map((line) => node[line][name]?.toLocaleString('en-US') ?? '')])),
    '',
  ].join('\n')
}

const cells = (values) => `| ${values.join(' | ')} |`
const figure = (value) =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))

function readResults() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
}

const text = renderPerformance(readResults(), JSON.parse(readFileSync(join(root, 'bench/allocations.json'), 'utf8')))
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error('docs/performance.md is not what the recorded results give: node scripts/generate-performance.mjs')
  process.exitCode = 1
}
