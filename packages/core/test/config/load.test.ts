import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configurationError, recordWarnings, write } from './helpers.ts'
import { widgetConfig } from './widget.ts'

describe('[DEFAULT] belongs to the service, too', () => {
  it('so an option close to one of ours is warned about, in a file as in the environment, and others are not', async () => {
    const { logger, warnings } = recordWarnings()
    const [file] = await write([
      'a.conf',
      '[DEFAULT]\ntransport_ur = memory://\ndebug = true\nnotification_driver = log',
    ])
    await loadConfig({
      files: [file ?? ''],
      env: { OS_DEFAULT__RPC_RESPONSE_TIMOUT: '5', OS_DEFAULT__PORT: '1' },
      logger,
    })
    expect(warnings.filter((line) => line.includes('is not read'))).toEqual([
      expect.stringMatching(/^\[DEFAULT\] transport_ur \(.*a\.conf:2\) is not read; did you mean transport_url\?$/),
      '[DEFAULT] rpc_response_timout (environment OS_DEFAULT__RPC_RESPONSE_TIMOUT) is not read; did you mean rpc_response_timeout?',
    ])
  })
})

describe('13.1 order of sources', () => {
  it('later ones win: defaults, files in order, environment, arguments, overrides, URL query', async () => {
    const files = await write(
      ['a.conf', '[oslo_messaging_widget]\ntext=file1\nmode=fast\ncount=1\nratio=1\nnames=file1\nlimit=1'],
      ['b.conf', '[oslo_messaging_widget]\ncount=2\nratio=2\nnames=file2\nlimit=2\npassword=file2'],
    )
    const conf = await loadConfig({
      files,
      env: {
        OS_OSLO_MESSAGING_WIDGET__RATIO: '3',
        OS_OSLO_MESSAGING_WIDGET__NAMES: 'env',
        OS_OSLO_MESSAGING_WIDGET__LIMIT: '3',
        OS_OSLO_MESSAGING_WIDGET__PASSWORD: 'env',
      },
      argv: [
        'serve',
        '--oslo_messaging_widget.names=argv',
        '--oslo_messaging_widget.limit',
        '4',
        '--oslo_messaging_widget.password=argv',
        '--other.thing=1',
      ],
      overrides: { oslo_messaging_widget: { limit: 5, password: 'override', several: undefined } },
    })
    expect(conf.resolve(widgetConfig, { password: 'query' })).toEqual({
      text: 'file1',
      mode: 'fast',
      count: 2,
      ratio: 3,
      names: ['argv'],
      limit: 5,
      password: 'query',
      flag: false,
      several: [],
      pairs: null,
      rusty: false,
    })
    expect(conf.resolve(widgetConfig).password).toBe('override')
  })

  it('nothing but defaults is read unless it is given', async () => {
    process.env['OS_DEFAULT__CONTROL_EXCHANGE'] = 'from-env'
    try {
      expect((await loadConfig()).get('DEFAULT', 'control_exchange')).toBe('openstack')
      expect((await loadConfig({ env: process.env })).get('DEFAULT', 'control_exchange')).toBe('from-env')
    } finally {
      delete process.env['OS_DEFAULT__CONTROL_EXCHANGE']
    }
  })

  it('T22 set_transport_defaults - changes the default, and what is configured still wins', async () => {
    const conf = await loadConfig({ defaults: { rpc_response_timeout: 5 } })
    const nova = conf.withDefaults({ control_exchange: 'nova' })
    expect(nova.get('DEFAULT', 'control_exchange')).toBe('nova')
    expect(nova.get('DEFAULT', 'rpc_response_timeout')).toBe(5)
    expect(conf.get('DEFAULT', 'control_exchange')).toBe('openstack')
    const set = await loadConfig({ overrides: { DEFAULT: { control_exchange: 'set' } } })
    expect(set.withDefaults({ control_exchange: 'nova' }).get('DEFAULT', 'control_exchange')).toBe('set')
    const error = await configurationError(() => loadConfig({ defaults: { rpc_response_timeout: -4 } }))
    expect(error.option).toBe('[DEFAULT] rpc_response_timeout')
  })

  it('repeated keys - the last wins, but options of type multi keep all, over all files', async () => {
    const files = await write(
      ['a.conf', '[oslo_messaging_notifications]\ndriver=log\ndriver=noop\nretry=1\nretry=2'],
      ['b.conf', '[oslo_messaging_notifications]\ndriver=messagingv2'],
    )
    const conf = await loadConfig({ files })
    expect(conf.get('oslo_messaging_notifications', 'driver')).toEqual(['log', 'noop', 'messagingv2'])
    expect(conf.get('oslo_messaging_notifications', 'retry')).toBe(2)
    const replaced = await loadConfig({
      files,
      argv: ['--oslo_messaging_notifications.driver=a', '--oslo_messaging_notifications.driver=b'],
    })
    expect(replaced.get('oslo_messaging_notifications', 'driver')).toEqual(['a', 'b'])
  })

  it('arguments - end at --, and one without a value is an error', async () => {
    const conf = await loadConfig({ argv: ['--', '--DEFAULT.control_exchange=x'] })
    expect(conf.get('DEFAULT', 'control_exchange')).toBe('openstack')
    for (const argv of [['--DEFAULT.control_exchange'], ['--DEFAULT.control_exchange', '--verbose']]) {
      expect((await configurationError(() => loadConfig({ argv }))).message).toContain(
        '--DEFAULT.control_exchange=value',
      )
    }
  })
})

describe('13.2 a service.conf in use', () => {
  const text = `
# nova.conf
[DEFAULT]
debug = false
my_ip = 10.0.0.4
state_path: /var/lib/nova
enabled_apis = osapi_compute,metadata
transport_url = rabbit://nova:p%40ss@$my_ip:5672,nova:p%40ss@10.0.0.5:5672/
rpc_response_timeout = 180
log_format = %(asctime)s %(message)s

[database]
connection = mysql+pymysql://nova:secret@db/nova?charset=utf8
use_db_reconnect = true

[filter_scheduler]
enabled_filters = ComputeFilter,
  ImagePropertiesFilter,
  ServerGroupAntiAffinityFilter

[oslo_concurrency]
lock_path = $state_path/tmp

[oslo_messaging_notifications]
driver = messagingv2
topics = notifications,
    audit

[oslo_messaging_rabbit]
heartbeat_in_pthread = true
no_such_option_anywhere = 1

[oslo_messaging_zmq]
anything = goes
`
  it('is read as it is: other groups, other options of DEFAULT and groups of drivers not in use are left alone', async () => {
    const { logger, warnings } = recordWarnings()
    const conf = await loadConfig({ files: await write(['nova.conf', text]), logger })
    expect(conf.get('DEFAULT', 'transport_url')).toBe('rabbit://nova:p%40ss@10.0.0.4:5672,nova:p%40ss@10.0.0.5:5672/')
    expect(conf.get('DEFAULT', 'rpc_response_timeout')).toBe(180)
    expect(conf.get('oslo_messaging_notifications', 'topics')).toEqual(['notifications', 'audit'])
    expect(warnings).toEqual([])
  })

  it('group names compare without regard to case', async () => {
    const [file = ''] = await write(['x.conf', '[Oslo_Messaging_Notifications]\nretry = 3'])
    expect((await loadConfig({ files: file })).get('oslo_messaging_notifications', 'retry')).toBe(3)
  })

  it.each([
    [
      'settings.yaml',
      'DEFAULT:\n  transport_url: kafka://h\n  rpc_response_timeout: 7\n  rpc_ping_enabled: yes\noslo_messaging_notifications:\n  driver: [log, noop]\n  topics: [a, 5]\nother: [1]\n',
    ],
    [
      'settings.yml',
      '{"DEFAULT": {"transport_url": "kafka://h", "rpc_response_timeout": "7", "rpc_ping_enabled": true}, "oslo_messaging_notifications": {"driver": ["log", "noop"], "topics": "a,5"}}',
    ],
    [
      'settings.json',
      '{"DEFAULT": {"transport_url": "kafka://h", "rpc_response_timeout": 7, "rpc_ping_enabled": 1}, "oslo_messaging_notifications": {"driver": ["log", "noop"], "topics": ["a", 5]}}',
    ],
  ])('%s - is read by its ending', async (name, text) => {
    const conf = await loadConfig({ files: await write([name, text]) })
    expect(conf.get('DEFAULT', 'transport_url')).toBe('kafka://h')
    expect(conf.get('DEFAULT', 'rpc_response_timeout')).toBe(7)
    expect(conf.get('DEFAULT', 'rpc_ping_enabled')).toBe(true)
    expect(conf.get('oslo_messaging_notifications', 'driver')).toEqual(['log', 'noop'])
    expect(conf.get('oslo_messaging_notifications', 'topics')).toEqual(['a', '5'])
  })

  it.each([
    ['empty.yaml', ''],
    ['empty.conf', ''],
    ['null.json', 'null'],
  ])('%s - is an empty configuration', async (name, text) => {
    expect((await loadConfig({ files: await write([name, text]) })).get('DEFAULT', 'control_exchange')).toBe(
      'openstack',
    )
  })

  it.each([
    ['bad.json', '{"DEFAULT": {\n"transport_url": hunter2}}', 'bad.json: not valid JSON'],
    ['comma.json', '{"DEFAULT": {\n"transport_url": "hunter2",\n}}', 'comma.json:3: not valid JSON'],
    ['bad.yaml', 'DEFAULT:\n  transport_url: "hunter2\n', 'bad.yaml:'],
    ['alias.yaml', 'DEFAULT:\n  transport_url: *hunter2\n', 'alias.yaml'],
    ['list.yaml', '- hunter2\n', 'the top must be groups'],
    ['flat.yaml', 'transport_url: hunter2\n', 'usually DEFAULT'],
    ['text.json', '{"DEFAULT": "hunter2"}', 'DEFAULT must be a group'],
  ])('%s - is an error that names file or field, not the text', async (name, text, hint) => {
    const files = await write([name, text])
    const error = await configurationError(() => loadConfig({ files }))
    expect(error.message).toContain(hint)
    expect(inspect(error)).not.toContain('hunter2')
  })

  it('a file that cannot be read is named', async () => {
    const error = await configurationError(() => loadConfig({ files: ['/no/such/service.conf'] }))
    expect(error.message).toContain('/no/such/service.conf')
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
  })
})

describe('13.3 references', () => {
  const load = async (text: string) => loadConfig({ files: await write(['x.conf', text]) })

  it.each([
    ['the own group comes first', '[DEFAULT]\nmode = no\n[oslo_messaging_widget]\nmode = fast\ntext = $mode', 'fast'],
    ['then DEFAULT', '[DEFAULT]\nsite = a\n[oslo_messaging_widget]\ntext = ${site}b', 'ab'],
    ['another group', '[db]\nhost = h\n[oslo_messaging_widget]\ntext = ${db.host}:1/$db.host', 'h:1/h'],
    ['a default of core', '[oslo_messaging_widget]\ntext = $control_exchange', 'openstack'],
    ['a chain', '[DEFAULT]\na = $b\nb = ${g.c}\n[g]\nc = $d\nd = end\n[oslo_messaging_widget]\ntext = $a', 'end'],
    ['$$ and \\$ are dollar signs', '[oslo_messaging_widget]\ntext = $$a \\$b', '$a $b'],
    ['a dollar sign before anything else stays', '[oslo_messaging_widget]\ntext = 5$ $1 ${ $-', '5$ $1 ${ $-'],
  ])('13.3 %s', async (_title, text, expected) => {
    expect((await load(text)).resolve(widgetConfig).text).toBe(expected)
  })

  it('13.3 references work in lists and numbers, and in environment and arguments', async () => {
    const conf = await loadConfig({
      files: await write(['x.conf', '[DEFAULT]\nn = 3\n[oslo_messaging_widget]\nnames = a$n,b\ncount = $n']),
      env: { OS_OSLO_MESSAGING_WIDGET__TEXT: 'e$n' },
      argv: ['--oslo_messaging_widget.several=v$n'],
    })
    expect(conf.resolve(widgetConfig)).toMatchObject({ names: ['a3', 'b'], count: 3, text: 'e3', several: ['v3'] })
  })

  it('13.3 overrides are taken literally', async () => {
    const conf = await loadConfig({ overrides: { DEFAULT: { transport_url: 'rabbit://u:pa$word@h' } } })
    expect(conf.get('DEFAULT', 'transport_url')).toBe('rabbit://u:pa$word@h')
  })

  it.each([
    [
      'unknown',
      '[DEFAULT]\ncontrol_exchange = a$nowhere',
      '$nowhere, which is set nowhere',
      '[DEFAULT] control_exchange',
    ],
    [
      'circle',
      '[DEFAULT]\ncontrol_exchange = $a\na = $b\nb = $a',
      'leads back to itself',
      '[DEFAULT] control_exchange',
    ],
    ['self', '[DEFAULT]\ncontrol_exchange = $control_exchange', 'leads back to itself', '[DEFAULT] control_exchange'],
  ])('13.3 %s - is an error', async (_title, text, message, option) => {
    const error = await configurationError(() => load(text))
    expect(error.message).toContain(message)
    expect(error.option).toBe(option)
  })

  it('13.3 a dollar sign in a password - the error does not quote it', async () => {
    const error = await configurationError(() => load('[DEFAULT]\ntransport_url = rabbit://u:pa$word@h'))
    expect(error.message).toContain('write $$ for a dollar sign')
    expect(inspect(error)).not.toContain('word@')
    expect(error.message).not.toContain('$word')
  })
})
