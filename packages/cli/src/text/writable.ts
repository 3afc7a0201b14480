import { open } from 'node:fs/promises'
import { errorText } from './error-text.ts'

/** Tries a file that is to be written when all is done: rather before a long run than after it. Rejects with what the
 *  option names, and why. */
export async function checkWritable(option: string, file: string | undefined): Promise<void> {
  if (file === undefined) return
  try {
    const handle = await open(file, 'a')
    await handle.close()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : errorText(cause)
    throw new Error(`${option}: ${file} cannot be written (${code})`, { cause })
  }
}
