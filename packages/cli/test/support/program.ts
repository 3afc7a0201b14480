import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built program as an operator does. The transport URL goes by the environment. */
export async function osloMsg(url: string, ...args: readonly string[]): Promise<Ended> {
  return await osloMsgIn(FOLDER, url, ...args)
}

/** The same, started in another folder. */
export async function osloMsgIn(cwd: string, url: string, ...args: readonly string[]): Promise<Ended> {
  if (!existsSync(PROGRAM)) throw new Error('packages/cli is not built: node_modules/.bin/tsc -b')
  return await new Promise((resolve, reject) => {
    const options = {
      cwd,
      timeout: 50_000,
      env: { PATH: process.env['PATH'], OS_DEFAULT__TRANSPORT_URL: url },
    }
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else reject(new Error(`oslo-msg ${args.join(' ')} did not end by itself: ${stdout}${stderr}`))
    })
  })
}
