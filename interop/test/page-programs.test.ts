/// <reference lib="esnext.disposable" />
import os from 'node:os'
import { expect, it } from 'vitest'
import { startProgram } from './support/page-programs.ts'

const beside = os.tmpdir()
const program = (text: string) => ({ language: 'js', text })

it('a program is ready although a thread of it has written into the same line', async () => {
  const text = "process.stdout.write('order 80ready\\norder 81\\n'); setInterval(() => {}, 1000)"
  await using running = await startProgram(program(text), { beside })
  await running.until('ready')
})

it('a program that ended before it was ready is told with what it printed', async () => {
  await using running = await startProgram(program("console.log('no broker'); process.exit(3)"), { beside })
  await expect(running.until('ready')).rejects.toThrow(/ended with 3 before it said ready; it printed\nno broker/)
})

it('a program that does not end is told with what it printed, and ended', async () => {
  const text = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('here')"
  const running = await startProgram(program(text), { beside })
  await running.until('here')
  await expect(running.stop(500)).rejects.toThrow(/did not end after SIGTERM within 500 ms; it printed\nhere/)
  await running[Symbol.asyncDispose]()
})
