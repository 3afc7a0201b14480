import { open, Target, Deadline, url0 } from './.scratch-lib.mjs'
import amqp from 'amqplib'
import { randomUUID } from 'node:crypto'
const payload = 'x'.repeat(Number(process.argv[2] ?? 100))
const seconds = Number(process.argv[3] ?? 0.4),
  rounds = Number(process.argv[4] ?? 11)
async function ours() {
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
  return {
    call: async () => {
      const r = await d.send(
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
      return r.result
    },
    close: async () => {
      await server.close()
      await d.close()
      await s.close()
    },
  }
}
async function peer() {
  const u = `amqp://guest:guest@127.0.0.1:${url0.port}/`
  const o = { noDelay: true }
  const queue = 'q' + randomUUID().slice(0, 8)
  const cs = await amqp.connect(u, o),
    ss = await amqp.connect(u, o)
  const cp = await amqp.connect(u, o),
    sp = await amqp.connect(u, o)
  const sch = await ss.createChannel(),
    spub = await sp.createConfirmChannel()
  await sch.assertQueue(queue, { durable: false })
  await sch.prefetch(128)
  await sch.consume(queue, (m) => {
    if (!m) return
    sch.ack(m)
    const body = JSON.parse(m.content.toString())
    spub.publish(
      '',
      m.properties.replyTo,
      Buffer.from(JSON.stringify({ result: body.args.x })),
      { contentType: 'application/json', correlationId: m.properties.correlationId, deliveryMode: 2 },
      () => {},
    )
  })
  const rch = await cs.createChannel(),
    pub = await cp.createConfirmChannel()
  const reply = 'r' + randomUUID().slice(0, 8)
  await rch.assertQueue(reply, { durable: false })
  const waiting = new Map()
  await rch.consume(reply, (m) => {
    if (!m) return
    rch.ack(m)
    const w = waiting.get(m.properties.correlationId)
    waiting.delete(m.properties.correlationId)
    w?.(JSON.parse(m.content.toString()).result)
  })
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const id = randomUUID()
        const t = setTimeout(() => reject(new Error('timeout')), 60000)
        waiting.set(id, (v) => {
          clearTimeout(t)
          resolve(v)
        })
        pub.publish(
          '',
          queue,
          Buffer.from(JSON.stringify({ method: 'echo', args: { x: payload } })),
          { contentType: 'application/json', correlationId: id, replyTo: reply, deliveryMode: 2, expiration: '60000' },
          (e) => {
            if (e) reject(e)
          },
        )
      }),
    close: async () => {
      await sch.deleteQueue(queue)
      await rch.deleteQueue(reply)
      for (const c of [cs, ss, cp, sp]) await c.close()
    },
  }
}
async function run(p, conc, secs) {
  let n = 0
  const end = performance.now() + secs * 1000
  const t0 = performance.now()
  await Promise.all(
    Array.from({ length: conc }, async () => {
      while (performance.now() < end) {
        const r = await p.call()
        if (r !== payload) throw new Error('bad')
        n++
      }
    }),
  )
  return (n / (performance.now() - t0)) * 1000
}
const a = await ours(),
  b = await peer()
for (const c of [1, 16, 64]) {
  await run(a, c, 0.5)
  await run(b, c, 0.5)
  const ratios = [],
    A = [],
    B = []
  for (let i = 0; i < rounds; i++) {
    const first = i % 2
    let x, y
    if (first) {
      x = await run(a, c, seconds)
      y = await run(b, c, seconds)
    } else {
      y = await run(b, c, seconds)
      x = await run(a, c, seconds)
    }
    A.push(x)
    B.push(y)
    ratios.push(x / y)
  }
  const med = (v) => v.sort((p, q) => p - q)[v.length >> 1]
  console.log(
    'c',
    c,
    'ours',
    Math.round(med(A)),
    'peer',
    Math.round(med(B)),
    'ratio',
    med(ratios).toFixed(3),
    'cores',
    JSON.stringify((process.cpuUsage().user / 1e6) | 0),
  )
}
await a.close()
await b.close()
