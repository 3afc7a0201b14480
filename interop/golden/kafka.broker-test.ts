import { sharedBroker, skipOrFail } from '@oslo-messaging/brokers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Verdict } from './judge.ts'
import { executeKafka } from './kafka/execute.ts'
import { KafkaScene, kafkaVectors } from './kafka/scene.ts'
import { summary, writePart } from './results.ts'

const kafka = await skipOrFail(sharedBroker('kafka'))
const verdicts: (Verdict & { readonly ms: number })[] = []

describe.skipIf(kafka === undefined)('Kafka as Python speaks it, through the public API and a real broker', () => {
  let scene: KafkaScene

  beforeAll(async () => {
    if (kafka === undefined) return
    scene = new KafkaScene(kafka)
    await scene.open()
  })

  it.concurrent.each(kafkaVectors.map((vector) => [vector.file, vector] as const))('%s', async (_file, vector) => {
    const started = performance.now()
    const verdict = await executeKafka(scene, vector)
    verdicts.push({ ...verdict, ms: Math.round(performance.now() - started) })
    expect(verdict.details.join('\n')).toBe('')
  })

  afterAll(async () => {
    await scene.close()
    if (verdicts.length === kafkaVectors.length)
      writePart('kafka', { versions: { kafka: `Kafka ${kafka?.version}` }, verdicts })
    process.stdout.write(summary('kafka', verdicts))
  })
})
