import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'

const examples = new URL('../../', import.meta.url)

/** What the files of the examples use of the Compose specification. */
interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: {
    readonly test: readonly string[]
    readonly interval: string
    readonly timeout: string
    readonly retries: number
  }
}
const SERVICE_FIELDS = ['image', 'command', 'ports', 'volumes', 'healthcheck']
const HEALTH_FIELDS = ['test', 'interval', 'timeout', 'retries']
const DURATION = /^\d+(ms|s|m)$/

const files = readdirSync(examples).filter((name) => existsSync(new URL(`${name}/compose.yaml`, examples)))

it('examples 04 to 09 have a compose file each', () => {
  expect(files.map((name) => name.slice(0, 2))).toEqual(['04', '05', '06', '07', '08', '09'])
})

describe.each(files)('%s/compose.yaml', (name) => {
  const read = (file: string): string => readFileSync(new URL(`${name}/${file}`, examples), 'utf8')
  const document = parseDocument(read('compose.yaml'))
  const { services } = document.toJS() as { readonly services: Readonly<Record<string, Service>> }
  const all = Object.entries(services)

  it('is YAML of the form that the Compose specification has', () => {
    expect(document.errors).toEqual([])
    expect(document.warnings).toEqual([])
    expect(Object.keys(document.toJS() as object)).toEqual(['services'])
    for (const [service, fields] of all) {
      expect(service).toMatch(/^[a-zA-Z0-9._-]+$/)
      expect(SERVICE_FIELDS).toEqual(expect.arrayContaining(Object.keys(fields)))
      expect(HEALTH_FIELDS).toEqual(expect.arrayContaining(Object.keys(fields.healthcheck ?? {})))
    }
  })

  it('names each image with a tag that does not move to another major version', () => {
    for (const [, { image }] of all) expect(image).toMatch(/^[\w./-]+:\d+[\w.-]*$/)
  })

  it('publishes the port that service.conf goes to, and tells when it answers', () => {
    const [, port = ''] = /^transport_url = rabbit:\/\/guest:guest@localhost:(\d+)\/$/m.exec(read('service.conf')) ?? []
    expect(services['rabbitmq']?.ports).toContain(`${port}:5672`)
    const { test, interval, timeout, retries } = services['rabbitmq']?.healthcheck ?? {}
    expect(test?.slice(0, 2)).toEqual(['CMD', 'rabbitmq-diagnostics'])
    expect([interval, timeout]).toEqual([expect.stringMatching(DURATION), expect.stringMatching(DURATION)])
    expect(retries).toBeGreaterThan(0)
  })

  it('mounts what is there, or what the README makes', () => {
    for (const volume of all.flatMap(([, fields]) => fields.volumes ?? [])) {
      const [source = '', target, mode = 'rw'] = volume.split(':')
      expect(target).toMatch(/^\//)
      expect(['ro', 'rw']).toContain(mode)
      const isMade = read('README.md').includes(`mkdir -p ${source.replace('./', '')}`)
      expect(isMade || existsSync(new URL(`${name}/${source}`, examples)), source).toBe(true)
    }
  })

  it('is what the README begins with', () => {
    expect(read('README.md')).toContain('docker compose up -d --wait')
  })
})
