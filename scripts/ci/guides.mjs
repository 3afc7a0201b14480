import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from './stranger.mjs'
import { tarballs } from './tarballs.mjs'
import { ExpectedError } from '../door/processes.mjs'
import { runVitest } from './tests.mjs'
import { filesBelow, publicPackages, root } from './tools.mjs'

/** Tests that run what pages show. With this variable they run it in that folder, with what is installed there, and not
 *  with the workspace. */
const INSTALLED = 'OSLO_MESSAGING_INSTALLED'
const TESTS = [
  'interop/test/readme.test.ts',
  'interop/test/readme.broker-test.ts',
  'interop/test/migrating.fault-test.ts',
  'packages/core/test/docs/pages.test.ts',
  'packages/cli/test/docs-cli.fault-test.ts',
  'packages/create-oslo-messaging-driver/test/generated.fault-test.ts',
]

/** An indented line of a page that installs or runs something, without its comment. */
const COMMAND = /^ {4}(npm install|npx) (.+?)(?: *#.*)?$/gm

/** From an empty folder with nothing of ours but the tarballs: the packages that guides tell to install are there, and
 *  the programs and commands of the guides print what the pages say, on real brokers where they need one. */
export async function checkGuides() {
  const app = mkdtempSync(join(tmpdir(), 'oslo-messaging-guides-'))
  try {
    const packed = await tarballs()
    const commands = commandsOfPages()
    for (const { page, words } of commands.filter(({ program }) => program === 'npm install')) {
      const unknown = words.filter((word) => !word.startsWith('-') && !packed.has(word) && !isPeer(word))
      if (unknown.length > 0) throw new ExpectedError(`${page} installs ${unknown.join(', ')}, which is not published`)
    }
    await install(app, packed, foreign())
    // What the README of a package shows wants a broker: docs/cli.md shows the same, which a test runs.
    for (const { words } of commands.filter(({ page, program }) => page.startsWith('docs/') && program === 'npx'))
      execFileSync('npx', ['--no-install', ...words], { cwd: app })
    console.log(commands.map(({ page, program, words }) => `${page}: ${program} ${words.join(' ')}`).join('\n'))
    const words = ['--project', 'unit', '--project', 'broker', '--project', 'faults', '--maxWorkers=1', ...TESTS]
    return await runVitest(words, { [INSTALLED]: app })
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
}

function commandsOfPages() {
  return ['README.md', ...filesBelow('docs', ['.md']), ...filesBelow('packages', ['README.md'])].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(COMMAND)].map(([, program, words]) => ({
      page,
      program,
      words: words.split(' '),
    })),
  )
}

/** Whether a package of others is one that ours plugs into. */
function isPeer(name) {
  return publicPackages().some(({ manifest }) => name in (manifest.peerDependencies ?? {}))
}

/** What programs of the migration guides come from, or live in, in the versions that the workspace has. */
function foreign() {
  const versions = ['interop', 'packages/nestjs', 'bench'].map((folder) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    return { ...dependencies, ...devDependencies }
  })
  const names = ['amqplib', 'rascal', 'kafkajs', 'rhea', '@nestjs/common', '@nestjs/core', '@nestjs/microservices']
  return [...names, 'amqp-connection-manager', 'reflect-metadata', 'rxjs'].map((name) => {
    const version = versions.map((each) => each[name]).find((each) => each !== undefined)
    if (version === undefined) throw new Error(`No package of the workspace has ${name} any more`)
    return `${name}@${version}`
  })
}
