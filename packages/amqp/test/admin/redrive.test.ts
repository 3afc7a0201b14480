import { Deadline, TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'
import { AmqpAdmin } from '../../src/admin/admin.ts'
import { amqpDriver } from '../../src/index.ts'
import type { OddLink } from '../support/odd-peer/link.ts'
import { messageBytes } from '../support/odd-peer/message.ts'
import { oddScene } from '../support/scene.ts'

const scene = oddScene()
const SLOW_MS = 50

/** How a peer answers the first round, whose one letter used up all its credit, when it has the second in hand. */
const LATE = {
  // Before it has heard of the second, which it does a moment later.
  'with the credit of before': (link: OddLink, take: () => void) => {
    link.session.flow({ handle: link.handle, deliveryCount: link.deliveryCount, linkCredit: 0, drain: true })
    setTimeout(take, SLOW_MS)
  },
  // As Artemis does.
  'with the credit of the second': (link: OddLink) => {
    link.deliveryCount += 100
    link.session.flow({ handle: link.handle, deliveryCount: link.deliveryCount, linkCredit: 0, drain: true })
  },
}

it.each(Object.entries(LATE))(
  'redrive from a peer that answers the first of two rounds late, %s - every letter is taken',
  async (_how, answerLate) => {
    let rounds = 0
    const peer = await scene.peer({
      say: (frame) => (rounds === 1 && frame.name === 'flow' && frame.fields.drain === true ? undefined : frame),
      take: (frame, { sessions }) => {
        if (frame.name !== 'flow' || frame.fields.drain !== true) return false
        rounds += 1
        const session = sessions.get(frame.channel)
        const link = session?.links.get(frame.fields.handle ?? 0)
        if (rounds !== 2 || link === undefined) return false
        answerLate(link, () => session?.take(frame))
        return true
      },
    })
    for (const number of [1, 2, 3]) peer.nodes.put('x.dead', messageBytes({ body: `letter ${number}` }))
    const admin = new AmqpAdmin(TransportURL.parse(`amqp://127.0.0.1:${peer.port}/`), createDriverContext(amqpDriver))
    const request = { source: 'x.dead', limit: null, dryRun: false }
    const deadline = Deadline.after(20_000)
    expect(await admin.redrive({ ...request, to: null, deadline })).toMatchObject({ moved: 0, left: 3 })
    rounds = 0
    expect(await admin.redrive({ ...request, to: 'x', deadline })).toEqual({ moved: 3, left: 0, skipped: [] })
    await admin.close()
  },
)
