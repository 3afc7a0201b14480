import { open, Target, Deadline } from './.scratch-lib.mjs'
const topic = 't' + Math.random().toString(36).slice(2)
const d = await open()
const server = await d.listen(new Target({ topic, server: 'a' }), {
  deadline: Deadline.after(5000),
  prefetch: 8,
  onMessage: (r) => {
    r.acknowledge()
    r.reply({ result: r.message.args.x + 1, failure: null })
  },
})
const opts = (ms = 5000) => ({
  waitForReply: true,
  deadline: Deadline.after(ms),
  expiresInMs: ms,
  callMonitorTimeoutMs: null,
  retries: null,
  atLeastOnce: false,
})
console.log(
  await d.send(new Target({ topic }), { context: { a: 1 }, message: { method: 'm', args: { x: 1 } } }, opts()),
)
console.log(
  await d.send(
    new Target({ topic, fanout: true }),
    { context: {}, message: { method: 'm', args: { x: 1 } } },
    { ...opts(), waitForReply: false, expiresInMs: null },
  ),
)
const N = 2000
let t = performance.now()
for (let i = 0; i < N; i++)
  await d.send(new Target({ topic }), { context: { a: 1 }, message: { method: 'm', args: { x: i } } }, opts())
console.log('c1', (N / (performance.now() - t)) * 1000)
t = performance.now()
let left = 10000
await Promise.all(
  Array.from({ length: 64 }, async () => {
    while (left-- > 0)
      await d.send(new Target({ topic }), { context: { a: 1 }, message: { method: 'm', args: { x: 1 } } }, opts())
  }),
)
console.log('c64', (10000 / (performance.now() - t)) * 1000)
console.log(JSON.stringify(d.health()))
await server.close()
await d.close()
console.log('closed', process.getActiveResourcesInfo())
