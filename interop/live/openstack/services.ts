import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { BrokerUnavailable, cached, pythonWithLibrary } from '@oslo-messaging/brokers'

const execute = promisify(execFile)

/** The releases that the facts of @oslo-messaging/openstack are read from. */
const REQUIREMENTS = ['nova==34.0.0', 'cinder==29.0.0']
const LONGEST_MS = 120_000

/** The folder of programs of a virtual environment with the real nova and cinder: in the cache, made on first use (some
 *  two minutes). */
export async function openstackPrograms(): Promise<string> {
  const folder = await cached(`python-${REQUIREMENTS.join('-').replaceAll('==', '-')}`, async (into) => {
    // Its only part here is to find a Python that is new enough.
    const python = await pythonWithLibrary()
    try {
      await execute(python, ['-m', 'venv', into])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...REQUIREMENTS]
      await execute(path.join(into, 'bin/python'), pip, { maxBuffer: 64 * 1024 * 1024 })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new BrokerUnavailable(REQUIREMENTS.join(', '), reason.slice(-500), 'check that pip reaches its index')
    }
  })
  return path.join(folder, 'bin')
}

/** One service of OpenStack with a database of its own in a file, and without Keystone. */
export class OpenStackService {
  readonly #folder: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(folder: string, child: ReturnType<typeof spawn>) {
    this.#folder = folder
    this.#child = child
  }

  /** Makes its databases with `manage`, each a list of arguments, and starts `program`. It is up when it answers. */
  static async start(options: {
    readonly programs: string
    readonly program: string
    readonly manager: string
    readonly manage: readonly (readonly string[])[]
    readonly settings: string
  }): Promise<OpenStackService> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'oslo-messaging-openstack-'))
    const conf = path.join(folder, 'service.conf')
    const log = path.join(folder, 'service.log')
    await writeFile(
      conf,
      `[DEFAULT]\nstate_path = ${folder}\nlog_file = ${log}\nhost = node1\n[database]\nconnection = sqlite:///${folder}/main.db\n` +
        `[api_database]\nconnection = sqlite:///${folder}/api.db\n[oslo_concurrency]\nlock_path = ${folder}\n${options.settings}`,
    )
    const run = path.join(options.programs, options.manager)
    for (const args of options.manage)
      await execute(run, ['--config-file', conf, ...args], { cwd: folder, timeout: LONGEST_MS })
    const child = spawn(path.join(options.programs, options.program), ['--config-file', conf], {
      cwd: folder,
      stdio: 'ignore',
    })
    return new OpenStackService(folder, child)
  }

  /** What it logged, for a test that failed. */
  async log(): Promise<string> {
    return (await readFile(path.join(this.#folder, 'service.log'), 'utf8')).slice(-4000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const late = new AbortController()
    await Promise.race([
      ended,
      sleep(20_000, undefined, { signal: late.signal }).then(() => this.#child.kill('SIGKILL')),
    ])
    late.abort()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
