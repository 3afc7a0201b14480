import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const docs = join(import.meta.dirname, '../../../../docs')

/** Who knows the page of one driver finds the same thing at the same place in that of another. */
const SKELETON = [
  'Installing',
  'Addresses',
  'Connections',
  'What is promised',
  'What happens when',
  'Security',
  'Options',
  'Watching it',
  'Speed',
  'Beside Python',
  'Tests',
]

it.each(['rabbit', 'amqp', 'kafka-deployment-guide', 'nats', 'redis'])('docs/%s.md has the skeleton', (name) => {
  const page = readFileSync(join(docs, `${name}.md`), 'utf8')
  expect([...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(SKELETON)
  for (const part of page.split(/^## /m).slice(1)) expect(part.split('\n').slice(1).join('').length).toBeGreaterThan(20)
})
