import { Deadline, isMessagingError, type SendOptions, TransportDriverError } from '@oslo-messaging/core/driver'
import type { Faults } from '@oslo-messaging/core/testing'
import type { ConformanceKnobs } from '../../src/index.ts'
import type { Broken } from './broken-drivers.ts'
import { cutsSoFar, memoryLevers } from './memory-levers.ts'
import {
  listening,
  notified,
  notifying,
  replace,
  replying,
  requestWith,
  type Sabotage,
  sending,
  serving,
} from './sabotage.ts'

const never = new Promise<never>(() => {})
const patient = Deadline.after(null)

/** Levers of the in-process broker, some of them replaced. */
const withLevers =
  (change: (faults: Faults) => Partial<ConformanceKnobs['levers']>): NonNullable<Broken['knobs']> =>
  (faults) => ({ levers: { ...memoryLevers(faults), ...change(faults) } })

const ignoresDeadlines: Broken = {
  driver: () =>
    replace((driver) => ({
      send: (target, request, options) => driver.send(target, request, { ...options, deadline: patient }),
      sendNotification: (target, notification, options) =>
        driver.sendNotification(target, notification, { ...options, deadline: patient }),
      listen: (target, options) => driver.listen(target, { ...options, deadline: patient }),
      listenForNotifications: (sources, options) =>
        driver.listenForNotifications(sources, { ...options, deadline: patient }),
    })),
}
const healthIsConstant: Broken = {
  driver: () => (driver) => {
    const sinceMs = Date.now()
    const components = [{ kind: 'listener', name: 'all', state: 'consuming', sinceMs }] as const
    return replace(() => ({ health: () => ({ status: 'ok', components }) }))(driver)
  },
}
/** Says that it is not well when it is not, but never that it is again. */
const healthStaysIll: Broken = {
  driver: () => (driver) => {
    let isIll = false
    return replace((inner) => ({
      health: () => {
        const health = inner.health()
        isIll ||= health.status !== 'ok'
        return isIll ? { ...health, status: 'degraded' } : health
      },
    }))(driver)
  },
}
const staysDown: Broken = {
  knobs: withLevers((faults) => ({
    outage: async () => (faults.disconnect(), async () => {}),
    freeze: async () => (faults.disconnect(), async () => {}),
    restart: async () => faults.disconnect(),
    killNode: async () => (faults.disconnect(), async () => {}),
  })),
}
const settlesEarly: Broken = {
  driver: () =>
    notified((notification, onMessage) => {
      notification.acknowledge()
      onMessage(notification)
    }),
}
const held = new Set<() => void>()
/** What was delivered and not settled is gone with the connection. */
const forgetsWhatIsHeld: Broken = {
  driver: () =>
    notified((notification, onMessage) => {
      held.add(() => notification.acknowledge())
      onMessage(notification)
    }),
  knobs: (faults) => ({
    disconnect: async () => {
      for (const forget of held) forget()
      held.clear()
      await memoryLevers(faults).cut()
    },
  }),
}
/** What was under way when the connection was cut is sent again, although the broker may have it. */
const resendsTheUnknown: Broken = {
  driver: () =>
    replace((driver) => ({
      sendNotification: async (target, notification, options) => {
        const before = cutsSoFar()
        await driver.sendNotification(target, notification, options)
        if (cutsSoFar() !== before) await driver.sendNotification(target, notification, options)
      },
    })),
}
const repliesAreLostInSilence: Broken = {
  driver: () => (driver) =>
    replace((inner) => ({
      send: (target, request, options) =>
        inner.send(target, request, options).catch((error: unknown) => {
          if (isMessagingError(error, 'REPLY_PATH_LOST')) return never
          throw error
        }),
    }))(driver),
}
const closedIsSilent: Broken = { driver: () => listening(() => ({ closed: never })) }
const closeNeverEnds: Broken = { driver: () => replace(() => ({ close: () => never })) }
/** `close` waits for what waits for a broker that is not there. */
const closeWaitsForTheBroker: Broken = {
  driver: () => (driver) =>
    replace((inner) => ({
      close: async (options) => {
        while (!['ok', 'idle', 'closed'].includes(inner.health().status))
          await new Promise((resolve) => setTimeout(resolve, 20))
        await inner.close(options)
      },
    }))(driver),
}
const ignoresRetries: Broken = {
  driver: () =>
    replace((driver) => ({
      sendNotification: (target, notification, options) =>
        driver.sendNotification(target, notification, { ...options, retries: null }),
    })),
}
/** Every second send takes another way round, so that those behind it overtake. */
const overtakes: Broken = {
  driver: () => {
    let sent = 0
    return replace((driver) => ({
      sendNotification: async (target, notification, options) => {
        sent += 1
        if (sent % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 60))
        await driver.sendNotification(target, notification, options)
      },
    }))
  },
}
const holdsEverything: Broken = {
  driver: () =>
    replace((driver) => ({
      sendNotification: (target, notification, options) =>
        driver.sendNotification(target, notification, options).catch((error: unknown) => {
          if (isMessagingError(error, 'BACKPRESSURE')) return never
          throw error
        }),
    })),
}
const refusesToSubscribeMeanwhile: Broken = {
  driver: () =>
    replace((driver) => ({
      listenForNotifications: async (sources, options) => {
        if (driver.health().status === 'degraded') throw new TransportDriverError('not connected')
        return await driver.listenForNotifications(sources, options)
      },
    })),
}
/** A send resolves before the broker has it, and what is not with the broker yet is lost when the driver closes. */
const resolvesEarly: Broken = {
  driver: () => (driver) => {
    let isClosed = false
    return replace((inner) => ({
      sendNotification: async (target, notification, options) => {
        if (notification.message.payload === 'first') return await inner.sendNotification(target, notification, options)
        setTimeout(() => {
          if (!isClosed) void inner.sendNotification(target, notification, options).catch(() => undefined)
        }, 5)
      },
      close: async (options) => {
        isClosed = true
        await inner.close(options)
      },
    }))(driver)
  },
}
const keepsEverything: Broken = {
  driver: () => {
    const kept: unknown[] = []
    return notified((notification, onMessage) => {
      kept.push({ ...notification.message, copy: Buffer.alloc(4096, kept.length) })
      onMessage(notification)
    })
  },
}
const fewTopics: Broken = {
  driver: () => {
    const topics = new Set<string | null>()
    const isKnown = (topic: string | null): boolean =>
      topics.has(topic) || (topics.size < 20 && topics.add(topic).size > 0)
    return (driver) =>
      replace((inner) => ({
        sendNotification: async (target, notification, options) => {
          if (isKnown(target.topic)) await inner.sendNotification(target, notification, options)
        },
        listen: async (target, options) =>
          await inner.listen(isKnown(target.topic) ? target : target.with({ topic: 'elsewhere' }), options),
      }))(driver)
  },
}
/** One handler at a time for the whole driver. */
const oneAtATime: Broken = {
  driver: () => {
    let last: Promise<void> = Promise.resolve()
    return serving((request, onMessage) => {
      const before = last
      last = new Promise((resolve) => {
        const acknowledge = (): void => {
          request.acknowledge()
          resolve()
        }
        void before.then(() => onMessage(requestWith(request, { acknowledge })))
      })
    })
  },
}
const cutsLargeOnes: Broken = {
  driver: () =>
    notifying((notification) => ({
      ...notification,
      message: { ...notification.message, payload: String(notification.message.payload).slice(0, 1000) },
    })),
}
/** Reads nested JSON by recursion, and an overflow of the stack ends the listener. */
const diesOfDepth: Broken = {
  knobs: (faults) => ({
    makeUnreadable: async ({ text }) => {
      if (text.startsWith('[[[')) faults.failListeners(new RangeError('Maximum call stack size exceeded'))
    },
  }),
}
const losesSome = (every: number): Sabotage => {
  let sent = 0
  return notifying((notification) => ((sent += 1) % every === 0 ? null : notification))
}
const answersOfOthers: Broken = {
  driver: () => {
    let last: unknown
    return replying((reply) => {
      if (reply?.failure !== null) return reply
      const answer = last ?? reply.result
      last = reply.result
      return { result: answer, failure: null }
    })
  },
}
const growing: Broken = {
  knobs: (faults) => {
    let count = 0
    return { levers: { ...memoryLevers(faults), connections: () => (count += 1) } }
  },
}
const oneConnectionEach: Broken = {
  knobs: (faults) => {
    let count = 0
    return { levers: { ...memoryLevers(faults), connections: () => (count += 40) } }
  },
}
/** Replies to requests of a listener that is stopped go nowhere. */
const stopsTooEarly: Broken = {
  driver: () => {
    let isStopped = false
    const replies = serving((request, onMessage) =>
      onMessage(
        requestWith(request, {
          reply: async (reply) => {
            if (!isStopped) await request.reply(reply)
          },
        }),
      ),
    )
    const stops = listening((listener) => ({
      stop: async () => {
        isStopped = true
        await listener.stop()
      },
    }))
    return (driver) => stops(replies(driver))
  },
}
const changesArguments: Broken = {
  driver: () =>
    serving((request, onMessage) =>
      onMessage(requestWith(request, { message: { ...request.message, args: { lost: true } } })),
    ),
}
const changesResults: Broken = {
  driver: () => replying((reply) => (reply?.failure === null ? { ...reply, result: { value: reply.result } } : reply)),
}
const changesFailures: Broken = {
  driver: () =>
    replying((reply) =>
      typeof reply?.failure === 'string' ? { result: null, failure: reply.failure.toUpperCase() } : reply,
    ),
}
const ignoresFanout: Broken = { driver: () => sending(({ target }) => ({ target: target.with({ fanout: null }) })) }
const servesTwice: Broken = {
  driver: () =>
    serving((request, onMessage) => {
      onMessage(request)
      onMessage(request)
    }),
}
const losesSamples: Broken = {
  driver: () => notifying((notification, { topic }) => (topic?.endsWith('.sample') ? null : notification)),
}
const deadForEver: Broken = {
  knobs: (faults) => {
    const levers = memoryLevers(faults)
    const halfOpen = { halfOpen: async () => faults.disconnect() }
    return { levers: { ...levers, ...halfOpen } }
  },
}
const slower: Broken = {
  driver: () =>
    replace((driver) => ({
      send: (target, request, options: SendOptions) =>
        driver.send(target, request, {
          ...options,
          deadline: Deadline.after(Math.min(20, options.deadline.remainingMs)),
        }),
    })),
  knobs: (faults) => ({
    levers: {
      ...memoryLevers(faults),
      latency: async () => (faults.delayReply(50, { every: true }), async () => faults.clear()),
    },
  }),
}
const losesPieces: Broken = {
  driver: () => losesSome(7),
  knobs: (faults) => {
    const split = { split: async () => async () => {} }
    return { levers: { ...memoryLevers(faults), ...split } }
  },
}
const outages = ['call', 'cast', 'fanout', 'notify', 'listen', 'listen for notifications'] as const

/** For each case above level 0, by name, a driver it must reject. */
export const brokenLevels: Readonly<Record<string, Broken>> = {
  'cut - a notification that was delivered and not settled comes again, and settling the first delivery then does nothing':
    settlesEarly,
  'cut - a call that waits gets its reply or REPLY_PATH_LOST, not silence until its deadline': repliesAreLostInSilence,
  'cut - what was sent meanwhile is there if its send resolved, not if it said not-sent, and never twice':
    resendsTheUnknown,
  'cut - ten cuts later there are no more connections than before': growing,
  'rights taken away - a listener says that it does not consume, and goes on when it has them again, or closed rejects':
    closedIsSilent,
  ...Object.fromEntries(outages.map((name) => [`outage - ${name} ends with its deadline`, ignoresDeadlines])),
  'outage - retries count: when they are spent the send fails long before its deadline': ignoresRetries,
  'outage - health says so while it lasts, and why, and is ok again afterwards': healthIsConstant,
  'outage - what is sent meanwhile leaves in the order of the calls': overtakes,
  'outage - more than a driver can hold is refused with BACKPRESSURE': holdsEverything,
  'outage - a subscription that is asked for meanwhile is there when it is over': refusesToSubscribeMeanwhile,
  'outage - a driver closes in time, and what waits is told CLOSED': closeWaitsForTheBroker,
  ...Object.fromEntries(outages.map((name) => [`silence - ${name} ends with its deadline`, ignoresDeadlines])),
  'silence - once it is over, calls and notifications work': staysDown,
  'silence - a driver closes in time while nothing answers': closeNeverEnds,
  'silence - a connection whose other end is gone without a word is noticed and made again': deadForEver,
  'network - a slow way changes nothing but the time': slower,
  'network - frames that come in small pieces are put together': losesPieces,
  'block - sends wait, health says blocked, and both go on when it is over': healthStaysIll,
  'block - a send that waits ends with its deadline': ignoresDeadlines,
  'restart - subscriptions come back and calls work': staysDown,
  'restart - notifications that the broker had are still there': {
    capabilities: { persistence: true },
    driver: () => notifying(() => null),
  },
  'node gone - the others go on': staysDown,
  'load - hundreds of servers and callers in one driver each, every call gets its own reply': fewTopics,
  'load - a thousand topics: each gets its own notification': fewTopics,
  'load - slow handlers hold up nobody else, and the connection lives on': oneAtATime,
  'load - the largest notification arrives whole, and small ones around it': cutsLargeOnes,
  'load - what a driver accepted before it closed is there, and every send is told how it ended': resolvesEarly,
  'load - memory comes back: what is done is not kept': keepsEverything,
  'load - hundreds of servers do not take a connection each': oneConnectionEach,
  'load - a server that stops under load leaves no call without its one answer': stopsTooEarly,
  'other side - its server answers our call with every kind of value': changesResults,
  'other side - our server answers its call with every kind of value': changesArguments,
  'other side - an error arrives with its text, both ways': changesFailures,
  'other side - a fanout cast of either reaches the servers of both': ignoresFanout,
  'other side - servers of both share the calls of a topic, each is answered once': servesTwice,
  'other side - notifications of every priority arrive, both ways': losesSamples,
  'hostile - no body among notifications ends the listener, stalls the process, or reaches a prototype': diesOfDepth,
  'hostile - no body among requests ends the server, stalls the process, or reaches a prototype': diesOfDepth,
  'history - notifications under random faults: none that resolved is lost, none comes where it was not sent': {
    driver: () => losesSome(2),
  },
  'history - calls under random faults: each ends in time, with its own reply or with an error': answersOfOthers,
}

/** What a stranger's driver was broken with, one place at a time, when the suite of that day passed nine of ten. */
export const strangersBreaks: Readonly<Record<string, Broken>> = {
  'acknowledges before the handler while declaring after-handler': settlesEarly,
  'unsettled messages are gone after a cut': forgetsWhatIsHeld,
  'resends while the confirm is unknown': resendsTheUnknown,
  'ReplyPathLost is never raised': repliesAreLostInSilence,
  'the deadline is ignored while the broker is down': ignoresDeadlines,
  '`retries` is ignored': ignoresRetries,
  '`closed` never rejects when lost for good': closedIsSilent,
  '`health()` is a constant ok with a true sinceMs': healthIsConstant,
  'no order of sends': overtakes,
  'no OutstandingLimit': holdsEverything,
  'resolves without the confirm': { driver: () => notifying(() => null) },
}
