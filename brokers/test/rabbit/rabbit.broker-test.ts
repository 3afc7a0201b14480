import { once } from 'node:events'
import net from 'node:net'

import { afterAll, describe, expect, it } from 'vitest'

import { answersAmqp091 } from '../../src/probe.ts'
import { skipOrFail } from '../../src/skip.ts'
import { startBroker } from '../../src/start.ts'

/** Every day the default one; all of them with RABBIT_VERSIONS=3.10.8,4.0.5,4.3.6 (the last one moves on with
 *  Debian). */
const versions = (process.env['RABBIT_VERSIONS'] ?? '3.10.8').split(',')

describe.each(versions)('RabbitMQ %s', async (version) => {
  const rabbit = await skipOrFail(startBroker('rabbit', { version, config: { heartbeat: '7' } }))
  afterAll(() => rabbit?.close())

  describe.skipIf(rabbit === undefined)('that was started here', () => {
    const started = rabbit as NonNullable<typeof rabbit>

    it('is the version that was asked for, with the configuration that was asked for', async () => {
      expect(started.version).toBe(version)
      await expect(started.control.eval('rabbit_misc:version()')).resolves.toBe(`"${version}"`)
      await expect(started.control.eval('application:get_env(rabbit,heartbeat)')).resolves.toBe('{ok, 7}')
    })

    it('has virtual hosts and users that levers make and remove', async () => {
      await expect(started.vhost('a/b')).resolves.toMatch(/\/a%2Fb$/)
      await started.control.addUser('reader', 'secret', { vhost: 'a/b', write: '^$' })
      await expect(
        started.control.eval('rabbit_access_control:check_user_pass_login(<<"reader">>,<<"secret">>)'),
      ).resolves.toMatch(/^\{ok/)
      await expect(started.control.queue('none', 'a/b')).resolves.toBeUndefined()
      await started.control.deleteUser('reader')
      await started.control.deleteVhost('a/b')
      await expect(started.control.deleteQueue('none', 'a/b')).rejects.toThrow('erl_call failed')
    })

    // Each boot has a test, and so a time, of its own: on a busy machine one takes half a minute.
    it('keeps virtual hosts over a quick restart, in the same process', async () => {
      await started.vhost('kept')
      const pids = [...started.pids]
      await started.restart()
      expect(started.pids).toEqual(pids)
      await expect(started.control.eval('rabbit_vhost:exists(<<"kept">>)')).resolves.toBe('true')
    })

    it('comes up from a quick restart after a virtual host and a user were made and deleted, and another host made', async () => {
      await started.vhost('gone')
      await started.control.addUser('gone', 'secret', { vhost: 'gone' })
      await started.control.deleteUser('gone')
      await started.control.deleteVhost('gone')
      await started.vhost('just made')
      await started.restart()
      await expect(started.control.eval('rabbit_boot_state:get()')).resolves.toBe('ready')
      await expect(started.control.eval('rabbit_vhost:exists(<<"just made">>)')).resolves.toBe('true')
    })

    it('keeps virtual hosts over a stop', async () => {
      await started.stop()
      expect([started.pids, await answersAmqp091(started.nodes[0] ?? { host: '', port: 0 })]).toEqual([[], false])
      await started.start()
      await expect(started.control.eval('rabbit_vhost:exists(<<"kept">>)')).resolves.toBe('true')
    })

    it('keeps virtual hosts over a kill after a flush', async () => {
      await started.control.flush()
      await started.kill()
      await started.start()
      await expect(started.control.eval('rabbit_vhost:exists(<<"kept">>)')).resolves.toBe('true')
    })

    it('comes up from a quick restart although a boot is still under way', async () => {
      // The mark of a boot, as it is there for a moment after the first start: with it `rabbit:start()` answers ok and
      // starts nothing.
      await started.control.eval(
        '[timer:sleep(10)||_<-lists:seq(1,500),whereis(rabbit_boot)=/=undefined],' +
          'register(rabbit_boot,spawn(fun()->receive stop->ok after 1000->ok end end)),whereis(rabbit_boot)=/=undefined',
      )
      await started.restart()
      await expect(started.control.eval('rabbit_boot_state:get()')).resolves.toBe('ready')
    })

    it('says nothing while it is frozen', async () => {
      await started.freeze()
      await expect(answersAmqp091(started.nodes[0] ?? { host: '', port: 0 })).resolves.toBe(false)
      await started.thaw()
      await expect(answersAmqp091(started.nodes[0] ?? { host: '', port: 0 })).resolves.toBe(true)
    })

    it('can be reached, and cut off, through a proxy', async () => {
      await using proxy = await started.proxy()
      expect(proxy.url).toBe(`rabbit://guest:guest@127.0.0.1:${proxy.port}/`)
      await expect(answersAmqp091(proxy)).resolves.toBe(true)
      const socket = net.connect(proxy.port, proxy.host)
      socket.write('AMQP\x00\x00\x09\x01', 'latin1')
      await once(socket, 'data')
      proxy.reset()
      const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException]
      expect(error.code).toBe('ECONNRESET')
    })
  })
})
