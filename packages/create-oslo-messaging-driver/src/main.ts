#!/usr/bin/env node
// npm create oslo-messaging-driver <name> [folder]
import path from 'node:path'
import { createDriver } from './index.ts'

const [name, folder = `oslo-messaging-driver-${name}`] = process.argv.slice(2)
if (name === undefined || name.startsWith('-')) {
  process.stderr.write('npm create oslo-messaging-driver <name> [folder]: name is the scheme of its URLs\n')
  process.exitCode = 2
} else {
  try {
    const files = await createDriver(name, path.resolve(folder))
    process.stdout.write(`${files.join('\n')}\n\ncd ${folder}\nnpm install\nnpm test\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
