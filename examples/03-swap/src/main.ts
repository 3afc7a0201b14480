// node dist/main.js [--json] [service.conf ...]: runs the service on each configuration and prints what came of it.
import { fileURLToPath } from 'node:url'
import { type Row, runService } from './service.ts'

const COLUMNS = {
  rpc: 'calls over',
  call: 'call',
  fanout: 'fanout',
  notifications: 'notifications over',
  heard: 'heard',
  again: 'one that failed first',
} as const satisfies Record<keyof Row, string>

const isJson = process.argv.includes('--json')
const files = process.argv.slice(2).filter((argument) => argument !== '--json')
if (files.length === 0) files.push(fileURLToPath(new URL('../service.conf', import.meta.url)))

const print = (row: Row): void => {
  if (isJson) console.log(JSON.stringify({ event: 'row', ...row }))
  else console.log(line((name) => row[name]))
}

function line(text: (name: keyof Row) => string): string {
  const cells = (Object.keys(COLUMNS) as (keyof Row)[]).map((name) =>
    text(name).padEnd(Math.max(COLUMNS[name].length, 14) + 2),
  )
  return cells.join('').trimEnd()
}

if (!isJson) console.log(line((name) => COLUMNS[name]))
for (const file of files) print(await runService(file))
