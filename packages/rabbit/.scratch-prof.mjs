import { open, Target, Deadline } from './.scratch-lib.mjs'
import { randomUUID } from 'node:crypto'
const conc = Number(process.argv[2] ?? 64)
const payload = 'x'.repeat(100)
const topic = 't' + randomUUID().slice(0, 8)
const d = await open(),
  s = await open()
const server = await s.listen(new Target({ topic, server: 'a' }), {
  deadline: Deadline.after(5000),
  prefetch: 128,
  onMessage: (r) => {
    r.acknowledge()
    void Promise.resolve(r.message.args).then((a) => r.reply({ result: a.x, failure: null }))
  },
})
const target = new Target({ topic })
let n = 0
const end = performance.now() + 5000
await Promise.all(
  Array.from({ length: conc }, async () => {
    while (performance.now() < end) {
      await d.send(
        target,
        { context: {}, message: { method: 'echo', args: { x: payload } } },
        {
          waitForReply: true,
          deadline: Deadline.after(60000),
          expiresInMs: 60000,
          callMonitorTimeoutMs: null,
          retries: null,
          atLeastOnce: false,
        },
      )
      n++
    }
  }),
)
console.log(n / 5, process.cpuUsage())
await server.close()
await d.close()
await s.close()
