import { readFileSync } from 'node:fs'
import * as core from '@oslo-messaging/core'
import { MessagingError } from '@oslo-messaging/core'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { httpError, messagingPlugin } from '../src/index.ts'

/** Class and code of every error there is, by docs/errors.md, which another test compares with the classes. */
const TABLE = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
const ERRORS = [...TABLE.matchAll(/^\| `(\w+)` \| `([A-Z_]+)` \|/gm)].map(([, name = '', code = '']) => ({
  name,
  code,
}))

/** An instance of that class with all that a caller decides by. */
function made(name: string, code: string): MessagingError {
  const Class: unknown = Object.entries(core).find(([exported]) => exported === name)?.[1]
  if (typeof Class !== 'function') throw new Error(`core exports no ${name}`)
  const options = { phase: 'confirm', delivery: 'unknown', retryable: true }
  return Reflect.construct(MessagingError, [code, 'what happened', options], Class) as MessagingError
}

const WANTED = { phase: 'confirm', delivery: 'unknown', retryable: true }

describe('every error of messaging reaches a caller over HTTP with code, phase and delivery', () => {
  it('is in the table', () => expect(ERRORS.length).toBeGreaterThanOrEqual(24))

  it.each(ERRORS)('$name', async ({ name, code }) => {
    const error = made(name, code)
    const expected = { error: name, code: `OSLO_MESSAGING_${code}`, ...WANTED }
    expect(httpError(error)).toMatchObject(expected)
    const app = Fastify()
    await app.register(messagingPlugin, { messaging: { url: 'memory://errors' }, errorHandler: true })
    app.get('/', async () => {
      throw error
    })
    const response = await app.inject('/')
    expect(response.json()).toMatchObject({ ...expected, statusCode: response.statusCode })
    expect(response.statusCode).toBeGreaterThanOrEqual(500)
    await app.close()
  })
})
