import { MessageUndeliverable, MessagingTimeout, type TransportURL } from '@oslo-messaging/core'
import {
  Deadline,
  type Driver,
  type DriverCapabilities,
  isMessagingError,
  type MessagingErrorCode,
} from '@oslo-messaging/core/driver'
import { createMemoryDriver, type Faults, memoryDriver } from '@oslo-messaging/core/testing'
import type { ConformanceKnobs } from '../../src/index.ts'
import { brokenLevels } from './broken-levels.ts'
import {
  failing,
  listening,
  notificationWith,
  notified,
  notifying,
  replace,
  replying,
  requestWith,
  type Sabotage,
  sending,
  serving,
  subscribing,
  swapped,
} from './sabotage.ts'

/** What makes one case fail. A function makes a fresh fault for each run. */
export interface Broken {
  readonly driver?: () => Sabotage
  readonly ignoresVhost?: true
  readonly capabilities?: Partial<DriverCapabilities>
  readonly knobs?: (faults: Faults) => Partial<ConformanceKnobs>
}

const never = new Promise<never>(() => {})
const forgets = (code: MessagingErrorCode, replacement: () => Error): Sabotage =>
  failing((error) => (isMessagingError(error, code) ? replacement() : error))

// --- faults that several cases must notice -------------------------------------------------------------------------
const deliversTwice: Broken = {
  driver: () =>
    serving((request, onMessage) => {
      onMessage(request)
      onMessage(request)
    }),
}
const notifiesTwice: Broken = {
  driver: () =>
    notified((notification, onMessage) => {
      onMessage(notification)
      onMessage(notification)
    }),
}
const ignoresServer: Broken = { driver: () => sending(({ target }) => ({ target: target.with({ server: null }) })) }
const sendsToAll: Broken = { driver: () => sending(({ target }) => ({ target: target.with({ fanout: true }) })) }
const ignoresFanout: Broken = { driver: () => sending(({ target }) => ({ target: target.with({ fanout: null }) })) }
const insistsOnQueue: Broken = {
  driver: () => sending(({ options }) => ({ options: { ...options, atLeastOnce: true } })),
}
const ignoresExchange: Broken = {
  driver: () => (driver) =>
    replace((inner) => ({
      send: (target, request, options) => inner.send(target.with({ exchange: null }), request, options),
      sendNotification: (target, notification, options) =>
        inner.sendNotification(target.with({ exchange: null }), notification, options),
      listen: (target, options) => inner.listen(target.with({ exchange: null }), options),
      listenForNotifications: (sources, options) =>
        inner.listenForNotifications(
          sources.map(({ target, priority }) => ({ target: target.with({ exchange: null }), priority })),
          options,
        ),
    }))(driver),
}
const losesNotifications: Broken = { driver: () => notifying(() => null) }
const losesSamples: Broken = {
  driver: () => notifying((notification, { topic }) => (topic?.endsWith('.sample') ? null : notification)),
}
const losesEveryHundredth: Broken = {
  driver: () => {
    let sent = 0
    return notifying((notification) => ((sent += 1) % 100 === 0 ? null : notification))
  },
}
const requestsCannotComeBack: Broken = {
  driver: () =>
    serving((request, onMessage) => onMessage(requestWith(request, { requeue: () => request.acknowledge() }))),
}
const notificationsCannotComeBack: Broken = {
  driver: () =>
    notified((notification, onMessage) =>
      onMessage(notificationWith(notification, { requeue: () => notification.acknowledge() })),
    ),
}
const settlesEarly: Broken = {
  driver: () => (driver) =>
    replace((inner) => ({
      listen: (target, options) =>
        inner.listen(target, {
          ...options,
          onMessage: (request) => {
            request.acknowledge()
            options.onMessage(request)
          },
        }),
      listenForNotifications: (sources, options) =>
        inner.listenForNotifications(sources, {
          ...options,
          onMessage: (notification) => {
            notification.acknowledge()
            options.onMessage(notification)
          },
        }),
    }))(driver),
}
const beatsInVain: Broken = {
  driver: () => serving((request, onMessage) => onMessage(requestWith(request, { heartbeat: async () => true }))),
}
const closedIsSilent: Broken = { driver: () => listening(() => ({ closed: never })) }
const closeNeverEnds: Broken = { driver: () => replace(() => ({ close: () => never })) }
const timesOutAnyhow: Broken = { driver: () => forgets('TIMEOUT', () => new Error('too late')) }
const forgetsReasons: Broken = { driver: () => failing(() => new Error('it did not work')) }
const ignoresPrefetch: Broken = {
  driver: () => (driver) =>
    replace((inner) => ({
      listen: (target, options) => inner.listen(target, { ...options, prefetch: 1000 }),
      listenForNotifications: (sources, options) =>
        inner.listenForNotifications(sources, { ...options, prefetch: 1000 }),
    }))(driver),
}
const onlyFirstTopic: Broken = {
  driver: () =>
    subscribing((sources) => ({ sources: sources.filter(({ target }) => target.topic === sources[0]?.target.topic) })),
}
const diesOfGarbage: Broken = {
  knobs: (faults) => ({ makeUnreadable: async () => faults.failListeners(new Error('cannot read this')) }),
}
const staysDown: Broken = { knobs: (faults) => ({ disconnect: async () => faults.disconnect() }) }
const claimsEverything: Broken = { capabilities: { ...memoryDriver.capabilities, startPositions: true } }

/** For each case of the suite, by name, a driver it must reject. */
export const brokenDrivers: Readonly<Record<string, Broken>> = {
  'lifecycle - a driver that was never used closes, and closes again': {
    driver: () => (driver) => {
      let closed = false
      return replace((inner) => ({
        close: async () => {
          if (closed) throw new Error('closed already')
          closed = true
          await inner.close()
        },
      }))(driver)
    },
  },
  'lifecycle - health shows a subscription that consumes': {
    driver: () => replace(() => ({ health: () => ({ status: 'idle', components: [] }) })),
  },
  'lifecycle - a closed listener has its promise resolved and closes again; so does a stopped one': closedIsSilent,
  'lifecycle - nothing is delivered after stop, and what was delivered can still be settled and answered': {
    driver: () => listening(() => ({ stop: async () => {} })),
  },
  'lifecycle - closing the driver closes its listeners': closedIsSilent,
  'lifecycle - closing the driver rejects a waiting call with CLOSED': {
    driver: () => forgets('CLOSED', () => new Error('socket closed')),
  },
  'lifecycle - what was accepted before close is delivered': losesNotifications,
  'lifecycle - two drivers of one broker close apart': {
    driver: () => {
      const all: Driver[] = []
      return (driver) => {
        all.push(driver)
        return replace(() => ({ close: async () => void (await Promise.all(all.map((other) => other.close()))) }))(
          driver,
        )
      }
    },
  },
  'call - every kind of JSON value arrives as an argument and comes back as the result': {
    driver: () =>
      replying((reply) => (reply?.failure === null ? { ...reply, result: { value: reply.result } } : reply)),
  },
  'call - the request arrives complete': {
    driver: () =>
      serving((request, onMessage) =>
        onMessage(requestWith(request, { message: { ...request.message, _unique_id: 'leaked' } })),
      ),
  },
  'headers - those of a call and of a cast arrive, and a request without has none of another': {
    driver: () => serving((request, onMessage) => onMessage(requestWith(request, { headers: {} }))),
  },
  'headers - those of a notification arrive, in both message formats': {
    driver: () => notified((notification, onMessage) => onMessage(notificationWith(notification, { headers: {} }))),
  },
  'call - a failure arrives as the text it was sent as': {
    driver: () =>
      replying((reply) =>
        typeof reply?.failure === 'string' ? { result: null, failure: reply.failure.toUpperCase() } : reply,
      ),
  },
  'call - servers of one topic share its calls, each call is served once and in order per server': deliversTwice,
  'call - a named server alone gets the calls addressed to it': ignoresServer,
  'call - parallel replies in any order reach their own callers': {
    driver: () => {
      let last: unknown
      return replying((reply) => {
        const previous = last
        last = reply?.result
        return { result: previous ?? null, failure: null }
      })
    },
  },
  'call - exchanges keep the same topic apart': ignoresExchange,
  'call - virtual hosts keep the same topic apart': { ignoresVhost: true },
  'call - caller and server share no object': {
    driver: () => {
      let sent: Readonly<Record<string, unknown>> = {}
      return (driver) =>
        replace((inner) => ({
          send: (target, request, options) => {
            sent = { ...request.message }
            return inner.send(target, request, options)
          },
          listen: (target, options) =>
            inner.listen(target, {
              ...options,
              onMessage: (request) => options.onMessage(requestWith(request, { message: sent })),
            }),
        }))(driver)
    },
  },
  'cast - arrives once and asks for no reply': {
    driver: () => serving((request, onMessage) => onMessage(requestWith(request, { expectsReply: true }))),
  },
  'cast - a named server alone gets it': sendsToAll,
  'cast - servers of one topic share its casts': deliversTwice,
  'cast - to a topic nobody serves resolves': insistsOnQueue,
  'fanout - every server gets each cast once, in order, even when a server is named': ignoresFanout,
  'fanout - a server that has left does not hold up the others': {
    driver: () => listening(() => ({ close: async () => {} })),
  },
  'fanout - nobody listening is no error': insistsOnQueue,
  'failure - a call that nobody serves times out when its time is up': timesOutAnyhow,
  'failure - a reply after the end is dropped, and the next call gets its own': {
    driver: () =>
      forgets('TIMEOUT', () => new MessagingTimeout('too late', { phase: 'publish', delivery: 'not-sent' })),
  },
  'failure - an aborted call rejects at once with the reason of its signal': forgetsReasons,
  'failure - an unanswered request leaves the queue when its time is up': {
    driver: () => sending(({ options }) => ({ options: { ...options, expiresInMs: null } })),
  },
  'failure - at least once: no queue takes it, and call and cast say so at once': {
    driver: () => sending(({ options }) => ({ options: { ...options, atLeastOnce: false } })),
  },
  'failure - at least once: with a server it is an ordinary call': {
    driver: () =>
      replace((driver) => ({
        send: async (target, request, options) => {
          if (options.atLeastOnce) throw new MessageUndeliverable('always')
          return await driver.send(target, request, options)
        },
      })),
  },
  'failure - a request that JSON cannot carry is refused and never sent': {
    driver: () =>
      sending(({ request }) => ({ request: { ...request, message: { ...request.message, args: { lost: true } } } })),
  },
  'failure - a result that JSON cannot carry rejects in reply, and a failure can be sent instead': {
    driver: () =>
      serving((request, onMessage) =>
        onMessage(requestWith(request, { reply: (reply) => request.reply(reply).catch(() => undefined) })),
      ),
  },
  'failure - a request handed back goes to another server': requestsCannotComeBack,
  'failure - what a closed listener had not settled goes to another server, in order': settlesEarly,
  'failure - the first settlement of a request counts': {
    driver: () =>
      serving((request, onMessage) => onMessage(requestWith(request, { requeue: () => onMessage(request) }))),
  },
  'monitor - signs of life keep a call alive beyond its monitor timeout': beatsInVain,
  'monitor - silence ends the call with SERVER_LOST when the monitor timeout is over': {
    driver: () => sending(({ options }) => ({ options: { ...options, callMonitorTimeoutMs: null } })),
  },
  'monitor - signs of life do not move the deadline of the call': {
    driver: () => sending(({ options }) => ({ options: { ...options, deadline: Deadline.after(60_000) } })),
  },
  'notify - both message formats arrive complete': {
    driver: () =>
      replace((driver) => ({
        sendNotification: (target, notification, options) =>
          driver.sendNotification(
            target,
            options.version === '1.0' ? { ...notification, context: {} } : notification,
            options,
          ),
      })),
  },
  'notify - each priority reaches the listeners of that priority': losesSamples,
  'notify - a priority nobody asked for does not arrive': {
    driver: () =>
      subscribing((sources) => ({
        sources: [...sources, ...sources.map(({ target }) => ({ target, priority: 'info' }))],
      })),
  },
  'notify - one listener of two topics gets both': onlyFirstTopic,
  'notify - listeners of different topics get exactly their own': notifiesTwice,
  'notify - the broker keeps it when no listener has ever existed': losesNotifications,
  'notify - nothing sent after the subscription is missed': losesNotifications,
  'notify - two listeners of one topic share its notifications, none comes twice': notifiesTwice,
  'notify - exchanges keep the same topic apart': ignoresExchange,
  'notify - virtual hosts keep the same topic apart': { ignoresVhost: true },
  'notify - a payload that JSON cannot carry is refused and never sent': {
    driver: () => notifying((notification) => ({ ...notification, message: { ...notification.message, payload: 1 } })),
  },
  'pool - each pool and the unpooled listeners get a copy': {
    driver: () => subscribing(() => ({ options: { pool: null } })),
  },
  'pool - listeners of one pool share its copy': {
    driver: () => {
      let pools = 0
      return subscribing((_sources, { pool }) => ({ options: { pool: `${pool}-${(pools += 1)}` } }))
    },
  },
  'requeue - what is handed back is delivered again and says so': notificationsCannotComeBack,
  'requeue - the first settlement counts': {
    driver: () =>
      notified((notification, onMessage) =>
        onMessage(notificationWith(notification, { requeue: () => onMessage(notification) })),
      ),
  },
  'requeue - what a closed listener had not settled goes to the next one, in order': settlesEarly,
  'call - tells the server how long its caller waits, and a cast does not': {
    driver: () => sending(({ options }) => ({ options: { ...options, expiresInMs: null } })),
  },
  'dead letters - a buried notification frees its place and does not come again': {
    driver: () =>
      notified((notification, onMessage) => onMessage(notificationWith(notification, { bury: async () => {} }))),
  },
  'dead letters - an error with a text of a megabyte is no obstacle': {
    driver: () =>
      notified((notification, onMessage) =>
        onMessage(notificationWith(notification, { bury: () => Promise.reject(new RangeError('too long')) })),
      ),
  },
  'cast - acknowledged after: what a server had not finished goes to another, what it had does not': {
    driver: () =>
      replace((driver) => ({
        listen: (target, options) => driver.listen(target, { ...options, acknowledge: 'before' }),
      })),
  },
  'ordering - one listener gets the notifications of one sender in the order they were sent': {
    driver: () => notified(swapped()),
  },
  'ordering - notifications with one ordering key come in the order they were sent': {
    driver: () => (driver) =>
      notified((notification, onMessage) => onMessage(notificationWith(notification, { orderingKey: 'one' })))(
        notified(swapped())(driver),
      ),
  },
  'ordering - what is sent with one ordering key is delivered with one, in the order of the calls': {
    driver: () =>
      replace((driver) => ({
        sendNotification: (target, { context, message }, options) =>
          driver.sendNotification(target, { context, message }, options),
      })),
  },
  'ordering - one server gets the casts of one client in the order they were sent': {
    driver: () => serving(swapped()),
  },
  'limits - no more requests than prefetch are delivered and not settled': ignoresPrefetch,
  'limits - no more notifications than prefetch are delivered and not settled': ignoresPrefetch,
  'limits - five hundred notifications sent at once all arrive, once': losesEveryHundredth,
  'limits - a large notification arrives whole': {
    driver: () =>
      notifying((notification) => ({
        ...notification,
        message: { ...notification.message, payload: String(notification.message.payload).slice(0, 65_536) },
      })),
  },
  'limits - a large request and its reply arrive whole': {
    driver: () => replying((reply) => (reply?.failure === null ? { result: { text: 'xxx' }, failure: null } : reply)),
  },
  'unreadable - garbage among notifications does not stop the listener': diesOfGarbage,
  'unreadable - garbage among requests does not stop the server': diesOfGarbage,
  'recovery - after a cut, subscriptions come back by themselves and calls work': staysDown,
  'recovery - a notification sent after a cut arrives': staysDown,
  'service - calls to one of three servers change only that one (CallTestCase.test_specific_server)': ignoresServer,
  'service - calls to the topic are spread, each once and in order (CallTestCase.test_server_in_group)': deliversTwice,
  'service - groups in three exchanges get only their own calls (CallTestCase.test_different_exchanges)':
    ignoresExchange,
  'service - a call to a topic nobody serves times out (CallTestCase.test_timeout)': timesOutAnyhow,
  'service - an exception of the endpoint reaches the caller (CallTestCase.test_exception)': {
    driver: () => replying(() => ({ result: null, failure: null })),
  },
  'service - a slow call times out while ten others succeed (CallTestCase.test_timeout_with_concurrently_queues)':
    timesOutAnyhow,
  'service - version and namespace choose the endpoint (CallTestCase.test_endpoint_version_namespace)': {
    driver: () =>
      sending(({ request }) => ({
        request: { ...request, message: { ...request.message, namespace: 'Name1', version: '7.5' } },
      })),
  },
  'service - casts to one server change only it (CastTestCase.test_specific_server)': sendsToAll,
  'service - casts to the topic are spread (CastTestCase.test_server_in_group)': deliversTwice,
  'service - a fanout cast reaches all three (CastTestCase.test_fanout)': ignoresFanout,
  'service - a monitored call outlives its monitor timeout (CallTestCase.test_monitor_long_call)': beatsInVain,
  'service - a stopped server leaves what it has not begun to the others': requestsCannotComeBack,
  'notifier - priority, event type, payload and publisher arrive (NotifyTestCase.test_simple)': {
    driver: () =>
      notifying((notification) => ({ ...notification, message: { ...notification.message, publisher_id: null } })),
  },
  'notifier - one listener of two topics gets both publishers (NotifyTestCase.test_multiple_topics)': onlyFirstTopic,
  'notifier - each priority reaches its method (NotifyTestCase.test_all_categories)': losesSamples,
  'notifier - an endpoint that asks for requeue gets the notification again': notificationsCannotComeBack,
  'notifier - without allowRequeue a failing endpoint does not get it again': {
    driver: () =>
      notified((notification, onMessage) =>
        onMessage(
          notificationWith(notification, {
            acknowledge: () =>
              notification.redelivered === true ? notification.acknowledge() : notification.requeue(),
          }),
        ),
      ),
  },
  'batch - 205 notifications come as 100, 100 and 5 (NotifyTestCase.test_simple_batch)': losesEveryHundredth,
  'refusal - without rpc, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without notifications, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without rpcFanout, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without rpcCallMonitoring, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without rpcAtLeastOnce, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without requeue, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without pools, asking for it fails while it is built and names it': claimsEverything,
  'refusal - without startPositions, asking for it fails while it is built and names it': claimsEverything,
  'errors - capabilities are plain data that agree with each other': { capabilities: { rpc: false } },
  'errors - a random password of the URL is in no error, health report, log line or print': {
    knobs: () => ({
      secret: {
        definition: {
          ...createMemoryDriver(),
          open: (url: TransportURL) => {
            throw new Error(`cannot log in with ${url.hosts[0]?.password}`)
          },
        },
        url: (password) => `memory://user:${encodeURIComponent(password)}@somewhere/`,
      },
    }),
  },
  'closed - call rejects with CLOSED': closeNeverEnds,
  'closed - cast rejects with CLOSED': closeNeverEnds,
  'closed - starting a server rejects with CLOSED': closeNeverEnds,
  'closed - notify rejects with CLOSED': closeNeverEnds,
  'closed - starting a notification listener rejects with CLOSED': closeNeverEnds,
  'aborted - call rejects with the reason of its signal': forgetsReasons,
  'aborted - cast rejects with the reason of its signal': forgetsReasons,
  'aborted - fanout rejects with the reason of its signal': forgetsReasons,
  'aborted - notify rejects with the reason of its signal': forgetsReasons,
  'aborted - listen rejects with the reason of its signal': forgetsReasons,
  'aborted - listen for notifications rejects with the reason of its signal': forgetsReasons,
  'timed out - call rejects with TIMEOUT': timesOutAnyhow,
  'timed out - cast rejects with TIMEOUT': timesOutAnyhow,
  'timed out - fanout rejects with TIMEOUT': timesOutAnyhow,
  'timed out - notify rejects with TIMEOUT': timesOutAnyhow,
  'timed out - listen rejects with TIMEOUT': timesOutAnyhow,
  'timed out - listen for notifications rejects with TIMEOUT': timesOutAnyhow,
  ...brokenLevels,
}
