import { describe, expect, it, vi } from 'vitest'

import { BrokerUnavailable } from '../src/errors.ts'
import { skipOrFail } from '../src/skip.ts'

const missing = new BrokerUnavailable('kafka', 'java is\n missing', 'install Java')

describe('a broker that cannot be had', () => {
  it('is one line that ends with the remedy', () => {
    expect(missing.message).toBe('kafka is not available here: java is missing; remedy: install Java')
  })

  it('skips on a laptop, and says why', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      await expect(skipOrFail(Promise.reject(missing), {})).resolves.toBeUndefined()
      expect(write).toHaveBeenCalledWith(`skipped: ${missing.message}\n`)
      await expect(skipOrFail(Promise.reject(missing), { CI: 'false' })).resolves.toBeUndefined()
    } finally {
      write.mockRestore()
    }
  })

  it('is an error in CI', async () => {
    await expect(skipOrFail(Promise.reject(missing), { CI: 'true' })).rejects.toBe(missing)
  })
})

it('a broker that broke is an error everywhere', async () => {
  await expect(skipOrFail(Promise.reject(new Error('broken')), {})).rejects.toThrow('broken')
})

it('a broker that is there is handed on', async () => {
  await expect(skipOrFail(Promise.resolve('it'), {})).resolves.toBe('it')
})
