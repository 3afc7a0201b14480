import { busOf } from '../src/driver.ts'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { requireServerTarget, requireTopic } from '../src/transport/check-target.ts'
import { createDriverRegistry } from '../src/registry/driver-registry.ts'
import { Target, type TargetFields } from '../src/target.ts'
import { createMemoryDriver } from '../src/memory/create-memory-driver.ts'
import { getRpcTransport } from '../src/transport/rpc-transport.ts'
import { Deadline } from '../src/util/deadline.ts'

const FULL = {
  exchange: 'e',
  topic: 't',
  namespace: 'n',
  version: '1.2',
  server: 's',
  fanout: true,
  legacyNamespaces: ['old', 'older'],
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000 })
const fieldsOf = (target: Target): object => Object.fromEntries(Object.entries(target))

describe('target', () => {
  it('G1 fields - all optional, null when absent', () => {
    const { legacyNamespaces: _, ...fields } = FULL
    expect(fieldsOf(new Target(FULL))).toEqual({ ...fields, acceptedNamespaces: ['n', 'old', 'older'] })
    const nothing = { exchange: null, topic: null, namespace: null, version: null, server: null, fanout: null }
    expect(fieldsOf(new Target())).toEqual({ ...nothing, acceptedNamespaces: [null] })
    expect(fieldsOf(new Target({ topic: undefined, legacyNamespaces: null }))).toEqual({
      ...nothing,
      acceptedNamespaces: [null],
    })
  })

  it('G1 fields - cannot be changed', () => {
    const target = new Target(FULL)
    expect(() => Object.assign(target, { topic: 'x' })).toThrow(TypeError)
    expect(() => (target.acceptedNamespaces as string[]).push('x')).toThrow(TypeError)
  })

  it('G2 what each use needs - topic and server for an RPC server, a topic for the others', () => {
    expect(() => requireServerTarget(new Target({ topic: 't' }))).toThrow(
      /a server name.*server: 'node1'.*is null:<Target topic=t>/,
    )
    expect(() => requireServerTarget(new Target({ server: 's' }))).toThrow(
      /a topic, such as .*is null:<Target server=s>/,
    )
    expect(() => requireServerTarget(new Target({ topic: 't', server: 's' }))).not.toThrow()
    expect(() => requireTopic(new Target({ topic: '' }), 'A listener')).toThrow(
      /A listener needs a target with a topic/,
    )
    expect(() => requireTopic(new Target({ topic: 't' }), 'A listener')).not.toThrow()
  })

  it('G3 copy with changes - null clears, leaving out and undefined keep, legacy namespaces are not copied', () => {
    const target = new Target(FULL)
    const copy = target.with({ server: null, topic: undefined, version: '2.0' })
    expect(copy).toMatchObject({
      exchange: 'e',
      topic: 't',
      namespace: 'n',
      version: '2.0',
      server: null,
      fanout: true,
    })
    expect(copy.acceptedNamespaces).toEqual(['n'])
    expect(target.server).toBe('s')
    expect(target.with({ legacyNamespaces: ['x'] }).acceptedNamespaces).toEqual(['n', 'x'])
  })

  it('G4 accepted namespaces - the own one, null included, then the legacy ones', () => {
    expect(new Target({ legacyNamespaces: ['old'] }).acceptedNamespaces).toEqual([null, 'old'])
    expect(new Target({ namespace: 'n', legacyNamespaces: ['old'] }).acceptedNamespaces).toEqual(['n', 'old'])
  })

  it('G5 equality - by all fields', () => {
    const target = new Target(FULL)
    expect(target.equals(new Target(FULL))).toBe(true)
    for (const field of Object.keys(FULL))
      expect(target.equals(new Target({ ...FULL, [field]: null })), field).toBe(false)
    expect(target.equals(new Target({ ...FULL, legacyNamespaces: ['older', 'old'] }))).toBe(false)
    expect(new Target().equals(new Target({ topic: null }))).toBe(true)
  })

  it('G6 text - the fields that are set, in the order of oslo', () => {
    expect(String(new Target(FULL))).toBe(
      '<Target exchange=e, topic=t, namespace=n, version=1.2, server=s, fanout=True>',
    )
    expect(String(new Target({ server: 's', topic: 't', fanout: false }))).toBe('<Target topic=t, server=s>')
    expect(String(new Target())).toBe('<Target >')
    expect(inspect({ target: new Target({ topic: 't' }) })).toBe('{ target: <Target topic=t> }')
  })

  it('G7 default exchange - is control_exchange', async () => {
    const ours = await loadConfig()
    const theirs = await loadConfig({ overrides: { DEFAULT: { control_exchange: 'nova' } } })
    expect([ours.get('DEFAULT', 'control_exchange'), theirs.get('DEFAULT', 'control_exchange')]).toEqual([
      'openstack',
      'nova',
    ])
  })

  it('G7 default exchange - a target that names none meets one that names it', async () => {
    const { listen, cast, got } = await openBus()
    await listen('here', { topic: 't', server: 's' })
    await listen('elsewhere', { topic: 't', server: 's', exchange: 'other' })
    await cast({ topic: 't', exchange: 'openstack' })
    await cast({ topic: 't' })
    await eventually(() => expect(got).toEqual(['here', 'here']))
  })

  it('G8 fanout beats server - when both are set every server gets it', async () => {
    const { listen, cast, got } = await openBus()
    await listen('a', { topic: 't', server: 'a' })
    await listen('b', { topic: 't', server: 'b' })
    await cast({ topic: 't', server: 'a', fanout: true })
    await eventually(() => expect(got.toSorted()).toEqual(['a', 'b']))
    await cast({ topic: 't', server: 'a', fanout: false })
    await eventually(() => expect(got.toSorted()).toEqual(['a', 'a', 'b']))
  })
})

/** Servers on the in-process driver that write down their name for each request. */
async function openBus() {
  const definition = createMemoryDriver()
  const registry = createDriverRegistry({ drivers: [definition], discover: false })
  const transport = await getRpcTransport(await loadConfig(), { url: 'memory://', registry })
  onTestFinished(async () => void (await transport.close()))
  const got: string[] = []
  return {
    got,
    listen: async (name: string, fields: TargetFields): Promise<void> => {
      await busOf(transport).listen(new Target(fields), {
        deadline: Deadline.after(1000),
        prefetch: 10,
        onMessage: (request) => {
          got.push(name)
          request.acknowledge()
        },
      })
    },
    cast: async (fields: TargetFields): Promise<void> => {
      const request = { context: {}, message: { method: 'm', args: {} } }
      await busOf(transport).send(new Target(fields), request, {
        waitForReply: false,
        deadline: Deadline.after(1000),
        expiresInMs: null,
        callMonitorTimeoutMs: null,
        retries: 0,
        atLeastOnce: false,
      })
    },
  }
}
