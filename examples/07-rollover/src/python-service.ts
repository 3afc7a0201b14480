import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The old service, in a process of its own. */
export interface PythonService extends AsyncDisposable {
  /** SIGTERM; resolves to its exit code when it has finished what it had taken. */
  drain(): Promise<number | null>
}

/** Starts `service.py`; resolves when it takes calls. Rejects with what it said when it ends before that. */
export async function startPython(python: string, configFile: string): Promise<PythonService> {
  const program = fileURLToPath(new URL('../service.py', import.meta.url))
  // In a group of its own: its queue manager looks up the first process of the group.
  const child = spawn(python, [program, '--config-file', configFile], { detached: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'close') as Promise<[number | null]>
  const lines = createInterface({ input: child.stdout })
  const isReady = await Promise.race([once(lines, 'line').then(() => true), ended.then(() => false)])
  if (!isReady) throw new Error(`The service in Python has ended: ${said.slice(-2000)}`)
  const drain = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    const [code] = await ended
    return code
  }
  return { drain, [Symbol.asyncDispose]: async () => void (await drain()) }
}
