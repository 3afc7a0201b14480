import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where they write. */
export const FOLDER: string = mkdtempSync(join(tmpdir(), 'cli-every-'))
const file = (name: string, text: string): string => {
  const path = join(FOLDER, name)
  writeFileSync(path, text)
  return path
}
const DEPLOYMENT = file('deployment.yaml', 'services:\n  compute: { server: [compute] }\n')
const CONF = file('one.conf', '[DEFAULT]\ntransport_url = memory://one/\n')

/** The least that each command takes; `broker`: it asks one. */
export const EACH: Readonly<Record<string, { readonly argv: readonly string[]; readonly broker: boolean }>> = {
  call: { argv: ['t', 'm'], broker: true },
  cast: { argv: ['t', 'm'], broker: true },
  fanout: { argv: ['t', 'm'], broker: true },
  notify: { argv: ['e'], broker: true },
  listen: { argv: ['t', '--for', '0.1'], broker: true },
  serve: { argv: ['t', '--for', '0.1'], broker: true },
  config: { argv: ['sample'], broker: false },
  doctor: { argv: [], broker: true },
  forward: { argv: ['t', '--take', '--to', join(FOLDER, 'out.ndjson'), '--for', '0.1'], broker: true },
  ping: { argv: ['t', '--wait', '0.1'], broker: true },
  top: { argv: ['t', '--once', '--wait', '0.1'], broker: true },
  simulate: { argv: ['--for', '0.1', '--drain', '0.1'], broker: true },
  simulator: { argv: ['-l', '0.1', 'rpc-client'], broker: true },
  topology: { argv: ['--deployment', DEPLOYMENT], broker: false },
  driver: { argv: ['new', 'mine', join(FOLDER, 'mine')], broker: false },
  completion: { argv: ['bash'], broker: false },
  migrate: { argv: ['--plan', CONF, CONF], broker: false },
  queues: { argv: [], broker: true },
  redrive: { argv: ['q'], broker: true },
}
