import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { ContainerNode } from '../src/docker.ts'
import { BrokerUnavailable } from '../src/errors.ts'
import { Workspace } from '../src/workspace.ts'

/** A `docker` that writes down what it is told. It has no images until one is pulled, and refuses to pull `missing`. */
const FAKE = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/told"
case "$1 $2" in
  "image inspect") [ -e "$(dirname "$0")/pulled" ] ;;
  "pull missing") echo "not found" >&2; exit 1 ;;
  pull*) touch "$(dirname "$0")/pulled" ;;
  "inspect --format") echo true ;;
esac
`

let folder: string
let workspace: Workspace

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'fake-docker-'))
  await writeFile(path.join(folder, 'docker'), FAKE)
  await chmod(path.join(folder, 'docker'), 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
  workspace = await Workspace.create('docker-test')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await workspace.close()
  await rm(folder, { recursive: true, force: true })
})

const create = (image: string): Promise<ContainerNode> =>
  ContainerNode.create({
    broker: 'rabbit',
    image,
    workspace,
    host: '127.0.0.1',
    port: 7,
    publish: ['7:5672'],
    env: { A: 'b c' },
    files: { '/outside': '/inside' },
    hostname: 'localhost',
    answers: async () => true,
  })

it('a container - is pulled once, published on loopback only, and removed with its data', async () => {
  const node = await create('rabbitmq:3.10')
  await node.start()
  await node.freeze()
  await node.thaw()
  await node.stop()
  await node.start()
  await node.kill()
  await node.remove()
  const told = (await readFile(path.join(folder, 'told'), 'utf8')).trim().split('\n')
  expect(told).toEqual([
    'image inspect rabbitmq:3.10',
    'pull rabbitmq:3.10',
    `create --name ${node.name} --hostname localhost -p 127.0.0.1:7:5672 -e A=b c -v /outside:/inside:ro rabbitmq:3.10`,
    `start ${node.name}`,
    `pause ${node.name}`,
    `unpause ${node.name}`,
    `stop ${node.name}`,
    `start ${node.name}`,
    `inspect --format {{.State.Running}} ${node.name}`,
    `kill ${node.name}`,
    `rm -f -v ${node.name}`,
  ])
})

it('an image that cannot be pulled - is a broker that is not available', async () => {
  const error = await create('missing').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(BrokerUnavailable)
  expect(String(error)).toContain('image missing cannot be pulled (not found); remedy: run: docker pull missing')
})
