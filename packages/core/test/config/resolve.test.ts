import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { MessagingConfig } from '../../src/config/messaging-config.ts'
import { configurationError, recordWarnings, write } from './helpers.ts'
import { widgetConfig } from './widget.ts'

const load = async (text: string, logger?: Parameters<typeof loadConfig>[0]): Promise<MessagingConfig> =>
  loadConfig({ files: await write(['x.conf', text]), ...logger })

describe('T13 query overrides options', () => {
  it.each([
    ['string', { text: 'a b' }, { text: 'a b' }],
    ['choice', { mode: 'fast' }, { mode: 'fast' }],
    ['integer', { count: ' 5 ' }, { count: 5 }],
    ['float', { ratio: '1e-1' }, { ratio: 0.1 }],
    ['boolean on', { flag: 'Yes' }, { flag: true }],
    ['boolean off', { flag: '0' }, { flag: false }],
    ['list', { names: 'a, b,,c' }, { names: ['a', 'b', 'c'] }],
    ['multi', { several: 'a,b' }, { several: ['a', 'b'] }],
    ['dict', { pairs: 'k:v,x.y: z:1' }, { pairs: { k: 'v', 'x.y': 'z:1' } }],
    ['secret', { password: 'p' }, { password: 'p' }],
  ])('T13 %s', async (_title, query, expected) => {
    expect((await loadConfig()).resolve(widgetConfig, query)).toMatchObject(expected)
  })

  it.each([
    ['unknown key', { cuont: '1' }, '[oslo_messaging_widget] cuont', 'did you mean count?'],
    ['key of nothing known', { entirely_different: '1' }, '[oslo_messaging_widget] entirely_different', 'remove it'],
    ['old name', { old_flag: '1' }, '[oslo_messaging_widget] old_flag', 'did you mean flag?'],
    ['inherited name', { toString: '1' }, '[oslo_messaging_widget] toString', 'no option of'],
    [
      'bad integer',
      { count: 'x' },
      '[oslo_messaging_widget] count',
      'must be an integer of at least 0 and of at most 10; "x" is not',
    ],
    ['integer above the limit', { count: '11' }, '[oslo_messaging_widget] count', 'of at most 10; 11 is not'],
    ['bad boolean', { flag: 'perhaps' }, '[oslo_messaging_widget] flag', 'must be true or false'],
    ['bad choice', { mode: 'FAST' }, '[oslo_messaging_widget] mode', 'must be one of slow, fast'],
    ['bad dict', { pairs: 'a,b' }, '[oslo_messaging_widget] pairs', 'key:value pairs'],
    ['not a number', { ratio: 'NaN' }, '[oslo_messaging_widget] ratio', 'must be a number'],
    ['infinite', { ratio: '1e999' }, '[oslo_messaging_widget] ratio', 'must be a number'],
  ])('T13 %s - is an error that names the key', async (_title, query, option, message) => {
    const conf = await loadConfig()
    const error = await configurationError(() => conf.resolve(widgetConfig, query))
    expect(error.option).toBe(option)
    expect(error.message).toContain(message)
    expect(error.message).toContain('query of the transport URL')
  })
})

describe('13.4 keys and values of a group', () => {
  it('an unknown key in a group of ours is an error with place and suggestion', async () => {
    const conf = await load('[oslo_messaging_widget]\n\ncuont = 1')
    const error = await configurationError(() => conf.resolve(widgetConfig))
    expect(error.option).toBe('[oslo_messaging_widget] cuont')
    expect(error.message).toMatch(/x\.conf:3\) is no option of this group; did you mean count\?/)
  })

  it('an unknown key in a group of core fails when the configuration is loaded', async () => {
    const error = await configurationError(() => load('[oslo_messaging_notifications]\ntopic = a'))
    expect(error.message).toContain('did you mean topics?')
  })

  it('an unknown key is found in environment, arguments and overrides, too', async () => {
    for (const options of [
      { env: { OS_OSLO_MESSAGING_WIDGET__CUONT: '1' } },
      { argv: ['--oslo_messaging_widget.cuont=1'] },
      { overrides: { oslo_messaging_widget: { cuont: 1 } } },
    ]) {
      const conf = await loadConfig(options)
      expect((await configurationError(() => conf.resolve(widgetConfig))).message).toContain('did you mean count?')
    }
    const error = await configurationError(() =>
      loadConfig({ overrides: { DEFAULT: { transport_ur: 'x' } as object } }),
    )
    expect(error.message).toContain('did you mean transport_url?')
  })

  it('several bad values are reported together', async () => {
    const conf = await load('[oslo_messaging_widget]\ncount = 99\nflag = maybe\nratio = -1')
    const error = await configurationError(() => conf.resolve(widgetConfig))
    expect(error.message.split('\n')).toHaveLength(4)
    expect(error.message).toMatch(/3 options[^]*count[^]*x\.conf:2[^]*ratio[^]*flag/)
  })

  it('a bad secret is not quoted', async () => {
    const fragment = { group: 'g', options: { key: { type: 'integer', default: 1, secret: true, doc: 'A.' } } } as const
    const conf = await load('[g]\nkey = hunter2')
    const error = await configurationError(() => conf.resolve(fragment))
    expect(error.message).toContain('[g] key')
    expect(inspect(error)).not.toContain('hunter2')
  })

  it('empty text means unset only for a number without default', async () => {
    const conf = await load('[oslo_messaging_widget]\nlimit =\ntext =\nnames =')
    expect(conf.resolve(widgetConfig)).toMatchObject({ limit: null, text: '', names: [] })
  })

  it('options are frozen', async () => {
    expect(Object.isFrozen((await loadConfig()).resolve(widgetConfig))).toBe(true)
  })
})

describe('13.5 names and options on their way out', () => {
  it('an old name is read, in another group too, with one warning that gives the new one', async () => {
    for (const text of ['[oslo_messaging_widget]\nold_flag = on', '[DEFAULT]\nwidget_flag = on']) {
      const { logger, warnings } = recordWarnings()
      const conf = await load(text, { logger })
      expect(conf.resolve(widgetConfig).flag).toBe(true)
      conf.resolve(widgetConfig)
      conf.withDefaults({}).resolve(widgetConfig)
      expect(warnings).toEqual([
        expect.stringMatching(/x\.conf:2\) is an old name; write \[oslo_messaging_widget\] flag/),
      ])
    }
  })

  it('in one file the present name wins, a later file wins over both', async () => {
    const conf = await load('[oslo_messaging_widget]\nold_flag = on\nflag = off')
    expect(conf.resolve(widgetConfig).flag).toBe(false)
    const files = await write(
      ['a.conf', '[oslo_messaging_widget]\nflag = off'],
      ['b.conf', '[oslo_messaging_widget]\nold_flag = on'],
    )
    expect((await loadConfig({ files })).resolve(widgetConfig).flag).toBe(true)
  })

  it('a deprecated option warns when it is set, and only then', async () => {
    const { logger, warnings } = recordWarnings()
    ;(await loadConfig({ logger })).resolve(widgetConfig)
    expect(warnings).toEqual([])
    ;(await load('[oslo_messaging_widget]\nrusty = on', { logger })).resolve(widgetConfig)
    expect(warnings).toEqual([expect.stringContaining('deprecated: use flag')])
  })

  it('a group whose name is close to one of ours is worth a warning', async () => {
    const { logger, warnings } = recordWarnings()
    await load('[oslo_messaging_rabit]\nx = 1\n[oslo_messaging_zmq]\ny = 1\n[oslo_messaging_rabbit]\n[oslo_policy]', {
      logger,
    })
    expect(warnings).toEqual([expect.stringContaining('did you mean [oslo_messaging_rabbit]')])
  })
})

describe('D15 secrets', () => {
  it('printing the configuration shows no password, whatever it looks like', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 8 }), async (middle) => {
        const secret = `Zq9x${middle}Xw7z`
        const conf = await loadConfig({
          overrides: {
            DEFAULT: { transport_url: `rabbit://u:${secret}@h:5672/v` },
            oslo_messaging_notifications: { transport_url: `kafka://u:${encodeURIComponent(secret)}@h:9092` },
            oslo_messaging_widget: { password: secret },
          },
        })
        conf.resolve(widgetConfig)
        const hidden = inspect(conf, { customInspect: false, showHidden: true, depth: 9 })
        for (const shown of [inspect(conf), JSON.stringify(conf), hidden]) {
          if (!middle.includes('@') && !middle.includes(',')) expect(shown).not.toMatch(/Zq9x|Xw7z/)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('shows what is no secret', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: 'rabbit://u:hunter2@h:5672/v' } } })
    expect(inspect(conf)).toContain('rabbit://u:***@h:5672/v')
    expect(conf.toJSON()['DEFAULT']).toMatchObject({ control_exchange: 'openstack', rpc_response_timeout: 60 })
    expect(conf.toJSON()['oslo_messaging_notifications']).toMatchObject({ transport_url: null })
  })

  it('get - a name that core does not own is misuse', async () => {
    const conf = await loadConfig()
    expect(() => conf.get('oslo_messaging_rabbit' as 'DEFAULT', 'transport_url')).toThrow(/use resolve\(\)/)
    expect(() => conf.get('DEFAULT', 'toString' as 'transport_url')).toThrow(TypeError)
  })
})
