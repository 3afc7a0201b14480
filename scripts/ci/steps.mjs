import { join } from 'node:path'
import { checkAdvisories } from './audit.mjs'
import { checkBoundaries } from './boundaries.mjs'
import { haveChromium, withChromium } from './chromium.mjs'
import { checkComments } from './comments.mjs'
import { checkBundles, checkCompilers } from './consumers.mjs'
import { checkDeclarations } from './declarations.mjs'
import { checkDocs } from './docs.mjs'
import { checkExample, checkExampleOnBrokers, examples } from './examples.mjs'
import { checkGuides } from './guides.mjs'
import { checkPacked } from './packed.mjs'
import { checkInstalled } from './stranger.mjs'
import { checkSupplyChain } from './supply-chain.mjs'
import { runTests, runVitest } from './tests.mjs'
import { bin, filesBelow, publicPackages, root, tool, verdict } from './tools.mjs'
import { gitState } from './tree.mjs'

/** A driver broken in one place for each case of the suite: none may pass. */
const MUTANTS = 'packages/conformance/test/mutants'

const before = gitState()

/** Each step is one check; `run` resolves with what passed and failed, or rejects. Steps that wait for brokers, or
 *  count what others leave behind, run `alone`; those that `usesTarballs` get them packed before. */
export const steps = [
  { name: 'Chromium for pages', alone: true, run: () => haveChromium() },
  { name: 'npm test', alone: true, run: runTests },
  { name: 'format', run: () => bin('oxfmt', '--check', '.') },
  { name: 'lint', run: () => bin('oxlint', '--type-aware', '--deny-warnings') },
  {
    name: 'type tests',
    run: async () => {
      const files = filesBelow('packages', ['.test-d.ts'])
      if (files.length === 0) return verdict(['There is no *.test-d.ts file'], '')
      console.log(files.join('\n'))
      return await bin('tsc', '-p', join(root, 'tsconfig.types.json'))
    },
  },
  { name: 'tests compile', run: () => bin('tsc', '-p', join(root, 'tsconfig.test.json')) },
  { name: 'unused code and dependencies', run: () => bin('knip') },
  ...publicPackages().map(({ manifest }) => ({
    name: `tarball of ${manifest.name}`,
    usesTarballs: true,
    run: () => checkPacked(manifest),
  })),
  { name: 'tarballs in an empty folder', usesTarballs: true, run: checkInstalled },
  { name: 'compilers of applications, TypeScript 5.4 to 7.0', usesTarballs: true, run: checkCompilers },
  { name: 'esbuild bundles core as an ES module and as CommonJS', usesTarballs: true, run: checkBundles },
  { name: 'licences and install scripts', run: () => checkSupplyChain() },
  { name: 'advisories against what comes with ours', run: checkAdvisories },
  { name: 'public declarations', run: checkDeclarations },
  { name: 'comments of exported symbols', run: checkComments },
  {
    name: 'surface of the doors',
    run: () => tool(process.execPath, [join(root, 'scripts/door-surface.mjs'), '--check'], { cwd: root }),
  },
  { name: 'import boundaries', run: checkBoundaries },
  {
    name: 'options in docs/config.md',
    run: () => tool(process.execPath, [join(root, 'scripts/generate-config-docs.mjs'), '--check'], { cwd: root }),
  },
  {
    name: 'inventory of features',
    run: () => tool(process.execPath, [join(root, 'scripts/ci/check-inventory.mjs')], { cwd: root }),
  },
  {
    name: 'known differences from Python in docs/interop.md',
    run: () => tool(process.execPath, [join(root, 'interop/golden/report.mjs'), '--check'], { cwd: root }),
  },
  {
    name: 'reports of conformance in README and docs',
    run: () =>
      tool(process.execPath, [join(root, 'certify/dist/conformance/main.js'), '--table', '--check'], { cwd: root }),
  },
  { name: 'code in the docs', usesTarballs: true, run: checkDocs },
  {
    name: 'site, its links, and its pages in Chromium',
    run: async () => {
      await tool(process.execPath, [join(root, 'site/build.mjs'), '--no-reference'], { cwd: root })
      return await withChromium(() => tool(process.execPath, [join(root, 'site/check.mjs')], { cwd: root }))
    },
  },
  {
    name: 'pages that the tools write, in Chromium',
    run: () => withChromium(() => runVitest(['--project', 'chromium'])),
  },
  ...examples().map((folder) => ({ name: `example ${folder}`, run: () => checkExample(folder) })),
  ...['rabbit', 'amqp'].map((rpc) => ({
    name: `example 01 on ${rpc} and kafka`,
    alone: true,
    run: () => checkExampleOnBrokers(rpc),
  })),
  { name: 'guides, with the tarballs alone', alone: true, run: checkGuides },
  {
    name: 'mutants of the conformance suite',
    alone: true,
    run: () => runVitest(['--project', 'faults', MUTANTS]),
  },
  {
    name: 'certification of kafka, short form',
    alone: true,
    run: () =>
      tool(process.execPath, [join(root, 'certify/dist/main.js'), 'kafka', '--short', '--seed', 'ci'], { cwd: root }),
  },
  {
    name: 'nothing left behind in the tree',
    alone: true,
    run: () => {
      const left = gitState().filter((line) => !before.includes(line))
      return verdict(
        left.map((line) => `git status: ${line}`),
        'git status says what it said before the run',
      )
    },
  },
]
