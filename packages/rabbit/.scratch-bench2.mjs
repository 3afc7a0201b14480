// separate server processes: node .scratch-bench2.mjs server ours|peer topic | main
import { fork } from 'node:child_process'
import { open, Target, Deadline, url0 } from './.scratch-lib.mjs'
import amqp from 'amqplib'
import { randomUUID } from 'node:crypto'
const u = `amqp://guest:guest@127.0.0.1:${url0.port}/`,
  o = { noDelay: true }
if (process.argv[2] === 'server') {
  const [, , , kind, topic] = process.argv
  if (kind === 'ours') {
    const s = await open()
    await s.listen(new Target({ topic, server: 'a' }), {
      deadline: Deadline.after(5000),
      prefetch: 128,
      onMessage: (r) => {
        r.acknowledge()
        void Promise.resolve(r.message.args).then((a) => r.reply({ result: a.x, failure: null }))
      },
    })
  } else {
    const ss = await amqp.connect(u, o),
      sp = await amqp.connect(u, o)
    const sch = await ss.createChannel(),
      spub = await sp.createConfirmChannel()
    await sch.assertExchange('openstack', 'topic', { durable: false })
    await sch.assertQueue(topic, { durable: false })
    await sch.bindQueue(topic, 'openstack', topic)
    await sch.prefetch(128)
    await sch.consume(topic, (m) => {
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
  }
  process.send('ready')
  process.on('disconnect', () => process.exit(0))
  setInterval(() => {}, 1e6)
} else {
  const size = Number(process.argv[2] ?? 100),
    secs = Number(process.argv[3] ?? 0.4),
    rounds = Number(process.argv[4] ?? 11)
  const payload = 'x'.repeat(size)
  const child = (kind, topic) =>
    new Promise((res) => {
      const c = fork(new URL(import.meta.url).pathname, ['server', kind, topic])
      c.once('message', () => res(c))
    })
  const ta = 'ta' + randomUUID().slice(0, 8),
    tb = 'tb' + randomUUID().slice(0, 8)
  const ca = await child('ours', ta),
    cb = await child('peer', tb)
  const d = await open()
  const target = new Target({ topic: ta })
  const a = {
    call: async () =>
      (
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
      ).result,
  }
  const cs = await amqp.connect(u, o),
    cp = await amqp.connect(u, o)
  const rch = await cs.createChannel(),
    pub = await cp.createConfirmChannel()
  const reply = 'r' + randomUUID().slice(0, 8)
  await rch.assertQueue(reply, { durable: false, autoDelete: true })
  const waiting = new Map()
  await rch.consume(reply, (m) => {
    if (!m) return
    rch.ack(m)
    const w = waiting.get(m.properties.correlationId)
    waiting.delete(m.properties.correlationId)
    w?.(JSON.parse(m.content.toString()).result)
  })
  const ex = process.env.DEFEX ? '' : 'openstack'
  const b = {
    call: () =>
      new Promise((resolve, reject) => {
        const id = randomUUID()
        const t = setTimeout(() => reject(new Error('timeout')), 60000)
        waiting.set(id, (v) => {
          clearTimeout(t)
          resolve(v)
        })
        pub.publish(
          ex,
          tb,
          Buffer.from(JSON.stringify({ method: 'echo', args: { x: payload } })),
          { contentType: 'application/json', correlationId: id, replyTo: reply, deliveryMode: 2, expiration: '60000' },
          (e) => {
            if (e) reject(e)
          },
        )
      }),
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
        x = await run(a, c, secs)
        y = await run(b, c, secs)
      } else {
        y = await run(b, c, secs)
        x = await run(a, c, secs)
      }
      A.push(x)
      B.push(y)
      ratios.push(x / y)
    }
    const med = (v) => v.sort((p, q) => p - q)[v.length >> 1]
    console.log('c', c, 'ours', Math.round(med(A)), 'peer', Math.round(med(B)), 'ratio', med(ratios).toFixed(3))
  }
  ca.disconnect()
  cb.disconnect()
  await d.close()
  await cs.close()
  await cp.close()
}
