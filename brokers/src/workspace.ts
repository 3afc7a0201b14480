import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { recipe } from './recipes.ts'

/** The temporary folder of one broker: data, logs, configuration. It cannot outlive this process: a janitor waits at
 *  the other end of a pipe and, when the process is gone (`kill -9` included), ends what is listed here and removes
 *  it. */
export class Workspace {
  readonly folder: string
  readonly #janitor: ChildProcess

  private constructor(folder: string, janitor: ChildProcess) {
    this.folder = folder
    this.#janitor = janitor
  }

  static async create(name: string): Promise<Workspace> {
    const folder = await mkdtemp(path.join(os.tmpdir(), `oslo-brokers-${name}-`))
    await mkdir(path.join(folder, 'pids'))
    await mkdir(path.join(folder, 'containers'))
    const janitor = spawn('sh', [recipe('janitor.sh'), folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    janitor.unref()
    // The pipe must not keep an otherwise finished process waiting either.
    if (janitor.stdin !== null && 'unref' in janitor.stdin && typeof janitor.stdin.unref === 'function') {
      janitor.stdin.unref()
    }
    return new Workspace(folder, janitor)
  }

  /** Path of a file in the folder. */
  path(...parts: string[]): string {
    return path.join(this.folder, ...parts)
  }

  /** Writes a file into the folder, making its folders; resolves to its path. */
  async write(name: string, content: string, mode = 0o644): Promise<string> {
    const file = this.path(name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, content, { mode })
    return file
  }

  /** From now on the process dies with this one. */
  async adopt(kind: 'pids' | 'containers', name: string): Promise<void> {
    await writeFile(this.path(kind, name), '')
  }

  /** The process is gone: its number may soon belong to somebody else. */
  async disown(kind: 'pids' | 'containers', name: string): Promise<void> {
    await rm(this.path(kind, name), { force: true })
  }

  /** Removes the folder. Processes that use it must have ended. */
  async close(): Promise<void> {
    if (existsSync(this.folder)) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
    this.#janitor.stdin?.end()
  }
}
