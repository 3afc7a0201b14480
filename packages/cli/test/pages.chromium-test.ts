import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Findings } from '../src/doctor/finding.ts'
import { reportPage } from '../src/doctor/report.ts'
import { openPage } from './support/chromium.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'cli-pages-'))

function write(name: string, html: string): string {
  const file = join(FOLDER, name)
  writeFileSync(file, html)
  return file
}

describe('pages in Chromium', () => {
  it('a page that asks for a picture and complains is found out', async () => {
    const html = '<!doctype html><img src="http://example.invalid/x.png"><script>console.error("broken")</script>'
    const { messages, requests } = await openPage(write('bad.html', html))
    expect(messages).toEqual([expect.stringContaining('broken')])
    expect(requests).toEqual(['http://example.invalid/x.png'])
  }, 60_000)

  it('doctor --html - every finding is shown, markup in one as text; nothing is complained of or asked for', async () => {
    const findings = new Findings()
    findings.add(
      'error',
      'tls',
      'one:5671',
      '<img src="http://example.invalid/x.png">',
      'Clients refuse it',
      'Renew it',
    )
    findings.add('ok', 'login', 'two:5672', 'RabbitMQ 4.0 takes the login')
    const { dom, messages, requests } = await openPage(write('doctor.html', reportPage(findings, 'oslo-msg doctor')))
    expect(dom.match(/<section class="(?:error|ok)">/g)).toHaveLength(2)
    expect(dom).toContain('&lt;img src=')
    expect({ messages, requests }).toEqual({ messages: [], requests: [] })
  }, 60_000)
})
