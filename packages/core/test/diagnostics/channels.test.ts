import { channel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DIAGNOSTIC_CHANNELS, emitDiagnostic } from '../../src/diagnostics/channels.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('emitDiagnostic', () => {
  it('publishes to whoever subscribes by name', () => {
    const seen: unknown[] = []
    const listen = (event: unknown, name: unknown): void => void seen.push([name, event])
    channel('oslo-messaging:background-error').subscribe(listen)
    onTestFinished(() => {
      channel('oslo-messaging:background-error').unsubscribe(listen)
    })
    const event = { source: 'test', error: new Error('x') }
    emitDiagnostic('oslo-messaging:background-error', () => event)
    expect(seen).toEqual([['oslo-messaging:background-error', event]])
  })

  it('builds nothing when nobody listens', () => {
    emitDiagnostic('oslo-messaging:reply-abandoned', () => expect.fail('was built'))
  })
})

describe('docs/diagnostics.md', () => {
  const docs = read('../../../../docs/diagnostics.md')
  const source = read('../../src/diagnostics/channels.ts')
  const sections = new Map(
    docs
      .split(/^### /m)
      .slice(1)
      .map((section) => [/^`([^`]+)`/.exec(section)?.[1] ?? section, section]),
  )

  it('has every channel, and no other', () => {
    expect([...sections.keys()]).toEqual(DIAGNOSTIC_CHANNELS)
  })

  it.each(DIAGNOSTIC_CHANNELS)('%s - has every field of the payload, and no other', (name) => {
    const section = sections.get(name) ?? ''
    const documented = [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, field, type]) => [
      field,
      type?.includes('optional'),
    ])
    // The payload's type, read from the source: what the compiler checks is not there when this runs.
    const start = source.indexOf(`'${name}': {`)
    const payload = source.slice(start, source.indexOf('}', start))
    const declared = [...payload.matchAll(/readonly (\w+)(\??):/g)].map(([, field, mark]) => [field, mark === '?'])
    expect(declared.length).toBeGreaterThan(0)
    expect(documented).toEqual(declared)
  })

  it('explains every reason for dropping a message', () => {
    const reasons = /readonly reason: ([^\n]+)/.exec(source)?.[1] ?? ''
    const names = [...reasons.matchAll(/'([^']+)'/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) expect(sections.get('oslo-messaging:message-dropped')).toContain(`\`${name}\``)
  })
})
