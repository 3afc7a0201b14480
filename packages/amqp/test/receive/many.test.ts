import { Deadline, Target } from '@oslo-messaging/core/driver'
import { createManualClock } from '@oslo-messaging/core/testing'
import { expect, it } from 'vitest'
import { openDriver } from '../support/open-driver.ts'
import { oddScene } from '../support/scene.ts'

const scene = oddScene()

it('a hundred listeners at a peer that is slow to answer attaches - a few attach at a time, and all are there in the end', async () => {
  const peer = await scene.peer()
  const clock = createManualClock()
  const server = await openDriver(`amqp://127.0.0.1:${peer.port}/`, { addressing_mode: 'legacy' }, { clock })
  const waiting: (() => void)[] = []
  let isSlow = true
  peer.options.take = (frame, connection) => {
    if (frame.name !== 'attach' || !isSlow) return false
    waiting.push(() => connection.sessions.get(frame.channel)?.take(frame))
    return true
  }
  try {
    const options = { deadline: Deadline.after(60_000, { clock }), prefetch: 10, onMessage: () => {} }
    const listening = Promise.all(
      Array.from({ length: 100 }, (_, n) => server.listen(new Target({ topic: `t${n}`, server: 's' }), options)),
    )
    await peer.until(() => waiting.length === 48)
    await expect(peer.until(() => waiting.length > 48, 300)).rejects.toThrow()
    isSlow = false
    for (const answer of waiting) answer()
    await listening
    expect(server.health().status).toBe('ok')
  } finally {
    await server.close({ signal: AbortSignal.timeout(100) })
  }
})
