import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../src/command.ts'
import { run } from '../src/index.ts'
import { EACH } from './support/each-command.ts'

const names = Object.keys(COMMANDS)
const asking = names.filter((name) => EACH[name]?.broker)

async function oslo(argv: readonly string[], env: Record<string, string> = {}, columns = 80) {
  let [out, err] = ['', '']
  const code = await run(argv, { env, columns, out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

/** One line that says something, and no stack. */
const ONE_LINE = /^oslo-msg: [^\n]+\n$/

describe('every command', () => {
  it('is in this table', () => {
    expect(Object.keys(EACH).toSorted()).toEqual(names.toSorted())
  })

  it.each(names)('%s --nonsense - one line, exit code 2', async (name) => {
    const { code, out, err } = await oslo([name, ...(EACH[name]?.argv ?? []), '--nonsense'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(ONE_LINE)
    expect(err).toContain('--help')
  })

  it.each(names)('%s --help - at 80 and at 40 columns no line is longer, and nothing is left unsaid', async (name) => {
    for (const columns of [80, 40]) {
      const { code, out, err } = await oslo([name, '--help'], {}, columns)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const longest = out.split('\n').reduce((most, line) => (line.length > most.length ? line : most), '')
      // A word that is longer than the line cannot be folded.
      if (/\S\s+\S/.test(longest.trim())) expect(longest.length, longest).toBeLessThanOrEqual(columns)
      expect(out).toContain('--help')
    }
  })

  it.each(asking)('%s with the package of its driver missing - one line that names it, no stack', async (name) => {
    const { code, err, out } = await oslo([name, ...(EACH[name]?.argv ?? [])], {
      OS_DEFAULT__TRANSPORT_URL: 'nowhere://host/',
    })
    expect(code).toBe(name === 'doctor' ? 3 : 1)
    const said = `${out}${err}`
    expect(said).toMatch(/nowhere/)
    expect(said).not.toMatch(/^\s+at /m)
    if (name !== 'doctor') expect(err).toMatch(ONE_LINE)
  })

  it.each(asking)('%s with a broker that refuses - one line that says so within its time, no stack', async (name) => {
    const argv = [name, ...(EACH[name]?.argv ?? []), ...(name === 'simulator' ? [] : ['--timeout', '0.3'])]
    const { code, err, out } = await oslo(argv, { OS_DEFAULT__TRANSPORT_URL: 'rabbit://guest:s3cret@127.0.0.1:1/' })
    const said = `${out}${err}`
    expect([1, 3]).toContain(code)
    expect(said).not.toMatch(/^\s+at |s3cret/m)
    expect(said).not.toBe('')
  })
})
