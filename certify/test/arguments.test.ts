import { describe, expect, it } from 'vitest'
import { parseArguments } from '../src/arguments.ts'

describe('arguments', () => {
  it('reads what repeats a run', () => {
    const line = ['kafka', '--seed', '7', '--kafka', '4.4.0', '--minutes', '3', '--only', 'reset', '--out', 'here']
    const { profile, options, out } = parseArguments(line, '/from')
    expect(profile).toBe('kafka')
    expect(options).toEqual({ seed: '7', on: undefined, version: '4.4.0', short: false, minutes: 3, only: ['reset'] })
    expect(out).toBe('/from/here')
  })

  it('makes up a seed and a folder, and says both', () => {
    const { options, out } = parseArguments(['kafka', '--short'])
    expect(options.seed).toMatch(/^\d+$/)
    expect(out).toContain(`kafka-${options.seed}-`)
  })

  it.each([[[]], [['nats']], [['kafka', 'kafka']], [['kafka', '--minutes', 'x']], [['kafka', '--nonsense']]])(
    'refuses %j in one line',
    (line) => {
      expect(() => parseArguments(line)).toThrow(TypeError)
    },
  )
})
