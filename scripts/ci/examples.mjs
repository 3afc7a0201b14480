import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packagesIn, root, verdict } from './tools.mjs'

/** The longest an example may run; starting real brokers is included. */
const LIMIT_MS = 240_000

/** Folders of the examples that are programs; each has an `expected.txt`: what `node dist/main.js` prints. A program
 *  that cannot do without brokers has an `expected-on-brokers.txt` alone, which its test compares; the others are files
 *  to copy, which have tests. */
export function examples() {
  const has = (folder, name) => existsSync(join(root, folder, name))
  return packagesIn('examples')
    .map(({ folder }) => folder)
    .filter((folder) => has(folder, 'src/main.ts'))
    .filter((folder) => has(folder, 'expected.txt') || !has(folder, 'expected-on-brokers.txt'))
}

export async function checkExample(folder) {
  const file = join(root, folder, 'expected.txt')
  if (!existsSync(file)) return verdict([`${folder}/expected.txt is missing: what does the example print?`], '')
  const expected = readFileSync(file, 'utf8')
  const main = join(root, folder, 'dist', 'main.js')
  const text = await output([main], { cwd: join(root, folder) })
  const json = await output([main, '--json'], { cwd: join(root, folder) })
  return verdict(
    [...differences(text, expected), ...notJsonLines(json)],
    `${text.trimEnd()}\n(as expected; with --json: ${json.trimEnd().split('\n').length} objects, one a line)`,
  )
}

/** The same program through the front door, on real brokers: only the two schemes in its first line may differ. */
export async function checkExampleOnBrokers(rpc) {
  const expected = readFileSync(join(root, 'examples/01-hybrid-service/expected.txt'), 'utf8')
  const text = await output([join(root, 'scripts/door.mjs'), 'start', '--brokers', `${rpc},kafka`], { cwd: root })
  // The front door and the brokers say what they do as well; the story begins with the transports.
  const lines = text.split('\n')
  const story = lines.slice(lines.findIndex((line) => line.startsWith('RPC over '))).join('\n')
  const wanted = expected.replace('memory', rpc).replace('memory', 'kafka')
  return verdict(differences(story, wanted), text.trimEnd())
}

function differences(text, expected) {
  const [got, want] = [text, expected].map((each) => each.trimEnd().split('\n'))
  const complaints = []
  for (let index = 0; index < Math.max(got.length, want.length); index += 1) {
    if (got[index] !== want[index])
      complaints.push(`line ${index + 1}: expected ${JSON.stringify(want[index])}, got ${JSON.stringify(got[index])}`)
  }
  return complaints
}

function notJsonLines(text) {
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => {
      try {
        return typeof JSON.parse(line).event !== 'string'
      } catch {
        return true
      }
    })
    .map((line) => `with --json, this line is no JSON object with an event: ${line}`)
}

/** What a program prints. Rejects when it fails or takes too long. */
function output(args, { cwd }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    const timer = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS)
    child.stdout.setEncoding('utf8').on('data', (part) => (text += part))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(text)
      else reject(new Error(`${args.join(' ')} ended with ${signal ?? `exit code ${code}`} after printing:\n${text}`))
    })
  })
}
