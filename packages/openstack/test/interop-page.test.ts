import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SERVICES } from '../src/services.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/interop.md'), 'utf8')
const [, section = ''] = /## Exchanges, topics and namespaces of OpenStack\n([^]*?)\n## /.exec(page) ?? []
const rows = [...section.matchAll(/^\| (\w+) \| (.*?) \| (.*?) \| (.*?) ?\|$/gm)]
  .map(([, service = '', exchange = '', topics = '', namespaces = '']) => ({ service, exchange, topics, namespaces }))
  .filter(({ service }) => service !== 'service')
const codes = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

it('docs/interop.md has a row for each service whose facts are read from its package', () => {
  expect(rows.map(({ service }) => service).toSorted()).toEqual(
    [...new Set(SERVICES.map((one) => one.service))].toSorted(),
  )
})

it.each(rows)('docs/interop.md says of $service what its package says', ({ service, exchange, topics, namespaces }) => {
  const facts = SERVICES.filter((one) => one.service === service)
  expect(new Set(facts.map((one) => one.exchange))).toEqual(new Set(codes(exchange).slice(0, 1)))
  const said = codes(topics)
  for (const { topic } of facts) if (topic !== null) expect(said).toContain(topic)
  for (const { namespace } of facts) if (namespace !== null) expect(codes(namespaces)).toContain(namespace)
})
