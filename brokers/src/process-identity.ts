import { readFileSync } from 'node:fs'

/** Tells a process from a later one with the same number: its start time in clock ticks since boot, as Linux gives it;
 *  empty where that is not known, and for a process that is gone. */
export function processIdentity(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold spaces; the fields are counted from behind it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Whether the process still runs; with an identity, whether it is still the same one. A zombie does not run. */
export function isAlive(pid: number, identity = ''): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  if (isZombie(pid)) return false
  return identity === '' || processIdentity(pid) === identity
}

function isZombie(pid: number): boolean {
  return processState(pid) === 'Z'
}

/** The letter that Linux gives to what a process does: R, S, T (stopped), Z (zombie). Empty where that is not known. */
export function processState(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text[text.lastIndexOf(')') + 2] ?? ''
  } catch {
    return ''
  }
}
