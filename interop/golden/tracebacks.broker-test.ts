import { pythonWithLibrary, sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { getRpcClient, getRpcServer, RemoteError, type RPCTransport, Target, ValueError } from '@oslo-messaging/core'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openRpc, unique } from '../test/support/ours.ts'
import { Peer } from '../test/support/peer.ts'

const python = await skipOrFail(pythonWithLibrary())
const rabbit = await skipOrFail(sharedBroker('rabbit'))

class DiskFull extends Error {
  static readonly module = 'storage.errors'
  override readonly name = 'DiskFull'
}

/** A failure with a cause and two functions between it and the method. */
class Storage {
  write(_ctxt: object, { volume }: { volume: string }): never {
    return this.#allocate(volume)
  }

  parse(_ctxt: object, { text }: { text: string }): never {
    throw new ValueError(`no volume is called ${text}`)
  }

  #allocate(volume: string): never {
    try {
      throw new RangeError('0 blocks are left')
    } catch (cause) {
      throw new DiskFull(`volume ${volume} has no room`, { cause })
    }
  }
}

/** Without what differs between machines and releases: folders, numbers and sources of lines, frames of the test
 *  runner. */
const steady = (text: string): string =>
  text
    .replaceAll(/(?:file:\/\/)?\/[^\s"'():]*\/([^/\s"'():]+)/g, '<folder>/$1')
    .replaceAll(/:\d+:\d+\)?/g, ':<n>')
    .replaceAll(/line \d+, in (\w+)\n[^\n]+(?:\n[ ~^]+(?=\n))?/g, 'line <n>, in $1\n<source>')
    .replaceAll(/\n +at (?!.*tracebacks)[^\n{]*?( \{)?(?=\n)/g, '$1')

describe.skipIf(python === undefined || rabbit === undefined)('tracebacks that people can read', () => {
  const [ours, theirs] = [unique('storage'), unique('python')]
  let transport: RPCTransport
  let service: Peer
  let server: Peer

  beforeAll(async () => {
    const url = (await rabbit?.vhost()) ?? ''
    transport = await openRpc(url)
    await getRpcServer(transport, new Target({ topic: ours, server: 's' }), [new Storage()]).start()
    ;[service, server] = await Promise.all([
      Peer.start('log_failures', url, ['--topic', ours]),
      Peer.start('rpc_server', url, ['--topic', theirs, '--quiet']),
    ])
  })

  afterAll(async () => {
    await Promise.all([service.stop(), server.stop()])
    await transport.close()
  })

  it("an error of our server is in Python's log with our stack and its cause", async () => {
    service.send({ id: 1, method: 'write', args: { volume: 'v1' } })
    const log = String((await service.answer(1))['value'])
    expect(log).toContain('ERROR Calling write failed')
    expect(log).toContain('Remote error: DiskFull volume v1 has no room')
    // Python shows the list of lines as it is: each of ours is one of them, with file, line and function.
    expect(log).toMatch(
      /File \\?"[^"]*tracebacks\.broker-test\.ts\\?", line \d+, in (?:_?Storage\.|#)*(?:#?allocate|_?Storage\.#allocate)/,
    )
    expect(log).toMatch(/File \\?"[^"]*tracebacks\.broker-test\.ts\\?", line \d+, in _?Storage\.write/)
    expect(log.indexOf('RangeError: 0 blocks are left')).toBeGreaterThan(-1)
    expect(log.indexOf('direct cause of the following exception')).toBeGreaterThan(log.indexOf('RangeError'))
    expect(log).toContain('storage.errors.DiskFull: volume v1 has no room')
  })

  it("a built-in error of our server keeps its class, and our stack is in Python's log line by line", async () => {
    service.send({ id: 2, method: 'parse', args: { text: 'v9' } })
    const log = String((await service.answer(2))['value'])
    expect(log).toMatch(/^ValueError: no volume is called v9$/m)
    expect(log).toMatch(/^ {2}File "[^"]*tracebacks\.broker-test\.ts", line \d+, in _?Storage\.parse$/m)
  })

  it('an error of a Python server says here what it was, where, and can be read when printed', async () => {
    const call = getRpcClient(transport, new Target({ topic: theirs })).call({}, 'fail', {
      kind: 'DemoError',
      message: 'the disk is full',
      code: 7,
    })
    const error = await call.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ excType: 'DemoError', module: 'demo_errors', value: 'the disk is full' })
    const { traceback } = error as RemoteError
    expect(traceback[0]).toBe('Traceback (most recent call last):\n')
    expect(traceback.at(-1)).toBe('demo_errors.DemoError: the disk is full\n')
    expect(traceback.filter((line) => line.includes('rpc_server.py'))).toHaveLength(1)
    expect(steady(inspect(error))).toMatchInlineSnapshot(`
      "RemoteError: Remote error: DemoError the disk is full
          at <folder>/tracebacks.broker-test.ts:<n> {
        code: 'OSLO_MESSAGING_REMOTE',
        retryable: false,
        phase: undefined,
        delivery: 'confirmed',
        excType: 'DemoError',
        module: 'demo_errors',
        value: 'the disk is full',
        args: [ 'the disk is full' ],
        kwargs: { code: 7 }
      }
      On the far side:
        Traceback (most recent call last):
          File "<folder>/server.py", line <n>, in _process_incoming
      <source>
          File "<folder>/dispatcher.py", line <n>, in dispatch
      <source>
          File "<folder>/dispatcher.py", line <n>, in _do_dispatch
      <source>
          File "<folder>/rpc_server.py", line <n>, in fail
      <source>
        demo_errors.DemoError: the disk is full"
    `)
  })

  it('a rebuilt error of a Python server has that story as its cause', async () => {
    const call = getRpcClient(transport, new Target({ topic: theirs })).call({}, 'fail', { message: 'wrong ü' })
    const error = await call.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ValueError)
    expect((error as ValueError).cause).toBeInstanceOf(RemoteError)
    expect(steady(inspect(error))).toMatchInlineSnapshot(`
      "ValueError: wrong ü
          at <folder>/tracebacks.broker-test.ts:<n> {
        args: [ 'wrong ü' ],
        [cause]: RemoteError: Remote error: ValueError wrong ü
            at <folder>/tracebacks.broker-test.ts:<n> {
          code: 'OSLO_MESSAGING_REMOTE',
          retryable: false,
          phase: undefined,
          delivery: 'confirmed',
          excType: 'ValueError',
          module: 'builtins',
          value: 'wrong ü',
          args: [ 'wrong ü' ],
          kwargs: {}
        }
        On the far side:
          Traceback (most recent call last):
            File "<folder>/server.py", line <n>, in _process_incoming
      <source>
            File "<folder>/dispatcher.py", line <n>, in dispatch
      <source>
            File "<folder>/dispatcher.py", line <n>, in _do_dispatch
      <source>
            File "<folder>/rpc_server.py", line <n>, in fail
      <source>
          ValueError: wrong ü
      }"
    `)
  })
})
