import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Debian's package, or the one that CHROMIUM_PATH names. */
export const CHROMIUM: string | undefined = [process.env['CHROMIUM_PATH'] ?? '', '/usr/bin/chromium'].find(
  (path) => path !== '' && existsSync(path),
)

/** What came of a page. */
export interface Opened {
  /** As it is after its scripts have run. */
  readonly dom: string
  /** What it said to the console, errors included. */
  readonly messages: readonly string[]
  /** Addresses beside the page itself that it asked for anything. */
  readonly requests: readonly string[]
}

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--window-size=1100,1900']
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
/** Asked by Chromium of its own accord. */
const ITS_OWN = /^https?:\/\/(?:clients2\.google\.com|update\.googleapis\.com|accounts\.google\.com)\//
const TIMEOUT_MS = 60_000

/** Opens a file as a reader would; `screenshot` is a file to leave a picture in. Rejects where there is no Chromium. */
export async function openPage(file: string, screenshot?: string): Promise<Opened> {
  if (CHROMIUM === undefined) throw new Error('There is no Chromium: apt-get install chromium, or set CHROMIUM_PATH')
  const folder = mkdtempSync(join(tmpdir(), 'chromium-'))
  const log = join(folder, 'net.json')
  const ask = async (...argv: readonly string[]) =>
    await promisify(execFile)(
      CHROMIUM,
      [...FLAGS, ...QUIET, `--user-data-dir=${join(folder, 'profile')}`, ...argv, pathToFileURL(file).href],
      { timeout: TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 },
    )
  try {
    const { stdout, stderr } = await ask('--enable-logging=stderr', '--v=0', `--log-net-log=${log}`, '--dump-dom')
    if (screenshot !== undefined) await ask(`--screenshot=${screenshot}`)
    const addresses = [...readFileSync(log, 'utf8').matchAll(/"url":"((?:https?|wss?):[^"]*)"/g)].map(
      ([, address = '']) => address,
    )
    return {
      dom: stdout,
      messages: stderr.split('\n').filter((line) => /CONSOLE|Uncaught/.test(line)),
      requests: [...new Set(addresses)].filter((address) => !ITS_OWN.test(address)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
