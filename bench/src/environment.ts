import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

const PACKAGES = [
  '@oslo-messaging/core',
  '@oslo-messaging/rabbit',
  '@oslo-messaging/kafka',
  '@oslo-messaging/amqp',
  'amqplib',
  '@nestjs/microservices',
  'kafkajs',
  'rhea',
  'moleculer',
  'rascal',
]

/** Where the figures were taken, as far as it matters to them; nothing that names a machine. */
export function describeEnvironment(brokers: Readonly<Record<string, string>> = {}): Readonly<Record<string, unknown>> {
  const [cpu] = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    // Of the last minute, at the end of the run: what else the machine had to do is in it.
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    ...(Object.keys(brokers).length === 0 ? {} : { brokers }),
  }
}

/** Read from the package.json above the package's main file: not every package exports it. */
function versionOf(name: string): string {
  for (let folder = dirname(createRequire(import.meta.url).resolve(name)); ; folder = dirname(folder)) {
    const manifest = readManifest(join(folder, 'package.json'))
    if (manifest?.name === name) return manifest.version ?? 'unknown'
    if (folder === dirname(folder)) return 'unknown'
  }
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
