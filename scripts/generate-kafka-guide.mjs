// Writes the option table of docs/kafka-deployment-guide.md from the option table of the kafka driver; the last column,
// advice, is kept as it stands there. Run after a build: node scripts/generate-kafka-guide.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const guideFile = join(root, 'docs', 'kafka-deployment-guide.md')
const HEAD = '| option | default | unit | effect | advice |\n|---|---|---|---|---|\n'

/** The guide with its table as the options say. */
export function renderGuide(guide, { options }) {
  const at = guide.indexOf(HEAD)
  if (at < 0) throw new Error(`${guideFile} has no table of options`)
  const from = at + HEAD.length
  const until = guide.indexOf('\n\n', from)
  const advice = readAdvice(guide.slice(from, until))
  const rows = Object.entries(options).map(([name, definition]) => {
    const cells = [`\`${name}\``, renderDefault(definition), renderUnit(definition), renderEffect(definition)]
    return `| ${[...cells, advice.get(name) ?? ''].map((cell) => cell.replaceAll(/(?<!\\)\|/g, '\\|')).join(' | ')} |`
  })
  return guide.slice(0, from) + rows.join('\n') + guide.slice(until)
}

function readAdvice(table) {
  return new Map(
    table.split('\n').map((row) => {
      const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
      return [cells[1]?.replaceAll('`', ''), cells[5] ?? '']
    }),
  )
}

function renderDefault({ default: value }) {
  return value === '' ? 'empty' : `\`${value}\``
}

function renderUnit({ unit, type, min, max, choices }) {
  const limits = [...(min === undefined ? [] : [`min ${min}`]), ...(max === undefined ? [] : [`max ${max}`])]
  const kind =
    choices === undefined
      ? (unit ?? (type === 'string' ? 'text' : type))
      : choices.map((one) => `\`${one}\``).join(', ')
  return [kind, ...limits].join('; ')
}

function renderEffect({ doc, deprecated }) {
  return deprecated === undefined ? doc : `${doc} **Deprecated**: ${deprecated}.`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { kafkaConfig } = await import(pathToFileURL(join(root, 'packages/kafka/dist/config.js')).href)
  writeFileSync(guideFile, renderGuide(readFileSync(guideFile, 'utf8'), kafkaConfig))
}
