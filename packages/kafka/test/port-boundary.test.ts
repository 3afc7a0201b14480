import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const source = new URL('../src/', import.meta.url).pathname
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

describe('client port', () => {
  it('P12 only src/kafkajs imports kafkajs', () => {
    const importers = files.filter((name) =>
      /from 'kafkajs'|import\('kafkajs'\)/.test(readFileSync(join(source, name), 'utf8')),
    )
    expect(importers.length).toBeGreaterThan(0)
    expect(importers.filter((name) => !name.startsWith('kafkajs/'))).toEqual([])
  })

  it('P12 no public declaration imports a type of a client library', () => {
    const text = (name: string): string => readFileSync(join(source, name), 'utf8')
    const declare = (name: string): string =>
      ts.transpileDeclaration(text(name), { fileName: name, compilerOptions: { isolatedDeclarations: true } })
        .outputText
    const seen = new Set<string>()
    const visit = (name: string): void => {
      if (seen.has(name)) return
      seen.add(name)
      for (const [, target = ''] of declare(name).matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g)) {
        visit(join(name, '..', target))
      }
    }
    visit('index.ts')
    expect([...seen]).toContain('settings.ts')
    for (const name of seen) expect(declare(name)).not.toMatch(/(?:from |import\()['"](?:kafkajs|@platformatic)/)
  })
})
