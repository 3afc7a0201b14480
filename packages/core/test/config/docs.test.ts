import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { docsFile, loadFragments, renderConfigDocs } from '../../../../scripts/generate-config-docs.mjs'

it('docs/config.md is what the option tables say', async () => {
  const fragments = await loadFragments('src')
  expect(fragments.map(({ group }: { group: string }) => group)).toEqual(
    expect.arrayContaining(['DEFAULT', 'oslo_messaging_rabbit', 'oslo_messaging_kafka']),
  )
  // On failure: node scripts/generate-config-docs.mjs
  expect(readFileSync(docsFile, 'utf8')).toBe(renderConfigDocs(fragments))
})
