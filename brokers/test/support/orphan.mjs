// A program to be killed: starts a broker, or a stand-in that only sleeps, prints what it started, and waits.
// It runs by itself, without a test runner, and so from the built package.
import path from 'node:path'

import { startBroker } from '../../dist/index.js'
import { ProcessNode } from '../../dist/process-node.js'
import { Workspace } from '../../dist/workspace.js'

const [what] = process.argv.slice(2)
if (what === 'stand-in') {
  const workspace = await Workspace.create('stand-in')
  const node = new ProcessNode({
    broker: 'test',
    name: 'stand-in',
    host: '127.0.0.1',
    port: 0,
    command: 'sleep',
    args: ['1000'],
    env: process.env,
    workspace,
    logFile: path.join(workspace.folder, 'log'),
    answers: async () => true,
  })
  await node.start()
  process.stdout.write(`${JSON.stringify({ pids: [node.pid], ports: [], folder: workspace.folder })}\n`)
} else {
  const { pids, ports } = await startBroker(what)
  process.stdout.write(`${JSON.stringify({ pids, ports })}\n`)
}
setInterval(() => undefined, 1000)
