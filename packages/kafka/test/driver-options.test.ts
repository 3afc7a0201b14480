import { describe, expect, it } from 'vitest'
import { createKafkaDriver, type KafkaDriverOptions } from '../src/index.ts'

describe('createKafkaDriver', () => {
  it.each([
    {
      options: { oauthToken: () => 'x' },
      message:
        'createKafkaDriver has no option oauthToken: oauthBearerToken, importCodec, client, importClient are known',
    },
    { options: { oauthBearerToken: 'secret' }, message: 'oauthBearerToken must be a function, not text' },
    { options: { importCodec: 1 }, message: 'importCodec must be a function, not a number' },
  ])('throws TypeError: $message', ({ options, message }) => {
    expect(() => createKafkaDriver(options as KafkaDriverOptions)).toThrow(new TypeError(message))
  })
})
