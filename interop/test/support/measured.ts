import { setTimeout as sleep } from 'node:timers/promises'

/** The sum over all lines of a metric (in the text format of Prometheus) that have the labels. */
export function sumOf(text: string, name: string, ...labels: readonly string[]): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** Milliseconds until it is so; rejects after `withinMs`. */
export async function until(isSo: () => Promise<boolean>, what: string, withinMs: number): Promise<number> {
  const begun = performance.now()
  while (!(await isSo())) {
    if (performance.now() - begun > withinMs) throw new Error(`${what} was not so within ${withinMs} ms`)
    await sleep(20)
  }
  return performance.now() - begun
}
