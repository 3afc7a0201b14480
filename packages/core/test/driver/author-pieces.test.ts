import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, vi } from 'vitest'
import { BrokerQuestions } from '../../src/driver/broker-questions.ts'
import { credentialsFor, HostRotation } from '../../src/driver/host-rotation.ts'
import { connectionLost, networkError } from '../../src/driver/network-error.ts'
import { packMessage, unpackMessage } from '../../src/driver/packet.ts'
import { reportState } from '../../src/driver/report-state.ts'
import { TransportURL } from '../../src/url/transport-url.ts'
import { Deadline } from '../../src/util/deadline.ts'

const { signal } = new AbortController()
const failing = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

describe('HostRotation', () => {
  it('goes round the hosts of the URL from a random one, with the default port', () => {
    const url = TransportURL.parse('x://a,b:7,[::1]:8/')
    const hosts = new HostRotation(url, { defaultPort: 9, random: () => 0.4 })
    expect([1, 2, 3, 4].map(() => hosts.next().address)).toEqual(['b:7', '[::1]:8', 'a:9', 'b:7'])
    expect(hosts.size).toBe(3)
  })

  it('a URL without hosts means localhost', () => {
    const hosts = new HostRotation(TransportURL.parse('x://'), { defaultPort: 9, random: () => 0.9 })
    expect(hosts.next().address).toBe('localhost:9')
  })

  it('each host has its own credentials, the provider wins, and its failure shows nothing of its text', async () => {
    const hosts = new HostRotation(TransportURL.parse('x://me:secret@a,b'), { defaultPort: 9, random: () => 0 })
    const [first, second] = [hosts.next(), hosts.next()]
    expect(await credentialsFor(first, undefined, signal)).toEqual({ username: 'me', password: 'secret' })
    expect(await credentialsFor(second, undefined, signal)).toBeUndefined()
    const given = { username: 'you', password: 'new' }
    expect(await credentialsFor(first, () => given, signal)).toBe(given)
    expect(await credentialsFor(first, () => undefined, signal)).toEqual({ username: 'me', password: 'secret' })
    const error = await credentialsFor(first, () => Promise.reject(new Error('token hunter2')), signal).catch(String)
    expect(error).toContain('No credentials for a:9')
    expect(error).not.toContain('hunter2')
  })
})

describe('networkError', () => {
  it('says what happened to which host, and that it may pass', () => {
    expect(networkError(failing('ECONNREFUSED'), 'h:1')).toMatchObject({
      message: 'h:1 refused the connection (ECONNREFUSED)',
      retryable: true,
      host: 'h:1',
    })
    expect(networkError(new AggregateError([failing('ENOTFOUND')]), 'h:1')?.message).toContain('has no address')
    expect(networkError(new Error('something else'), 'h:1')).toBeUndefined()
    expect(connectionLost(undefined, 'h:1').message).toBe('h:1: The connection ended')
  })
})

describe('reportState', () => {
  it('tells the channel of every change, and the log of trouble once and of its end', () => {
    const seen: unknown[] = []
    const listen = (event: unknown): void => void seen.push(event)
    subscribe('oslo-messaging:state', listen)
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
    const report = reportState({ driver: 'd', kind: 'connection', name: 'h:1', logger })
    report({ state: 'connected', previous: 'starting', attempt: 0 })
    report({ state: 'recovering', previous: 'connected', attempt: 0, error: new Error('cut') })
    report({ state: 'recovering', previous: 'recovering', attempt: 1, error: new Error('cut') })
    report({ state: 'connected', previous: 'recovering', attempt: 0 })
    for (const previous of ['connected', 'failed'] as const)
      report({ state: 'failed', previous, attempt: 1, error: new Error('refused'), retryInMs: 30_000 })
    unsubscribe('oslo-messaging:state', listen)
    expect(seen).toHaveLength(6)
    expect(seen[1]).toMatchObject({ driver: 'd', kind: 'connection', name: 'h:1', state: 'recovering' })
    expect(logger.warn.mock.calls).toEqual([['connection h:1 is recovering: cut']])
    expect(logger.info.mock.calls).toEqual([['connection h:1 is connected again']])
    expect(logger.error.mock.calls.map(([text]) => text)).toEqual([
      'connection h:1 failed: refused; tried every 30 s, until it is mended',
    ])
  })
})

describe('BrokerQuestions', () => {
  it('an answer that does not come ends the question and says so once, however long the caller would wait', async () => {
    const onSilence = vi.fn()
    const questions = new BrokerQuestions({ patienceMs: 10, onSilence })
    const asked = questions.ask('the declaration of q', () => new Promise<void>(() => {}), Deadline.after(60_000))
    await expect(asked).rejects.toMatchObject({
      message: 'The broker gave no answer to the declaration of q within 10 ms',
      retryable: true,
    })
    expect(onSilence).toHaveBeenCalledTimes(1)
  })

  it('the deadline of the caller may be earlier, and blames nobody', async () => {
    const onSilence = vi.fn()
    const questions = new BrokerQuestions({ patienceMs: 60_000, onSilence })
    const asked = questions.ask('it', () => new Promise<void>(() => {}), Deadline.after(10))
    await expect(asked).rejects.toMatchObject({ code: 'OSLO_MESSAGING_TIMEOUT' })
    expect(onSilence).not.toHaveBeenCalled()
    expect(questions.open).toBe(1)
  })

  it('answers and refusals pass as they are', async () => {
    const questions = new BrokerQuestions({ patienceMs: 1000, onSilence: () => {} })
    const refusal = new Error('no such queue')
    await expect(questions.ask('it', async () => 7)).resolves.toBe(7)
    await expect(questions.ask('it', () => Promise.reject(refusal))).rejects.toBe(refusal)
    expect(questions.open).toBe(0)
  })
})

describe('packMessage', () => {
  it('what was packed comes out, large integers and facts too', () => {
    const facts = { uniqueId: 'u', replyTo: 'r', correlationId: 'c', expiresInMs: 5, headers: { a: 'b' } }
    const text = packMessage({ user: 1 }, { method: 'm', args: { n: 2n ** 63n } }, facts)
    expect(unpackMessage(text)).toEqual({
      context: { user: 1 },
      message: { method: 'm', args: { n: 2n ** 63n } },
      facts,
    })
  })

  it.each(['', 'null', '[]', '{"v":2}', '{"v":1,"context":{},"message":5}', '['.repeat(20_000)])(
    'garbage is refused with a typed error: %s',
    (text) => {
      expect(() => unpackMessage(text)).toThrow('The message cannot be read')
    },
  )

  it('facts of the wrong type count as absent', () => {
    const text = '{"v":1,"context":{},"message":{},"facts":{"uniqueId":7,"expiresInMs":"x","headers":{"a":1,"b":"c"}}}'
    expect(unpackMessage(text).facts).toEqual({ headers: { b: 'c' } })
  })
})
