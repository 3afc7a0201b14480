import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadAuditMap, parseAuditMap } from '../src/index.ts'

const TEXT = `# comment
[DEFAULT]
target_endpoint_type = compute
[custom_actions]
OS-Migrations/GET = read
; comment
[path_keywords]
servers: server
[service_endpoints]
compute=service/compute
[other]
a = b
`

it('has the sections of an audit map, names in lower case', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'audit-map-'))
  const file = join(folder, 'map.conf')
  await writeFile(file, TEXT)
  expect(await loadAuditMap(file)).toEqual({
    targetEndpointType: 'compute',
    customActions: { 'os-migrations/get': 'read' },
    pathKeywords: { servers: 'server' },
    serviceEndpoints: { compute: 'service/compute' },
  })
  await rm(folder, { recursive: true })
})

it('may be empty', () => {
  expect(parseAuditMap('')).toEqual({ customActions: {}, pathKeywords: {}, serviceEndpoints: {} })
})

it.each([
  ['before a section', 'a = b', 1],
  ['without a value', '[custom_actions]\nreboot', 2],
])('a line %s is refused by its number', (_name, text, line) => {
  expect(() => parseAuditMap(text)).toThrow(`Line ${line} of the audit map`)
})
