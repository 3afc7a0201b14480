// Two topics of one producer whose connection breaks: the one gives its request up while the session is being mended
// for the other. A producer that then has no session would keep the process from everything else, so this is a process
// of its own. Prints `done` when both topics can be sent to again.
import { createDeferred } from '@oslo-messaging/core/driver'
import { ClientFault, type ProduceRequest } from '../../src/port/client-port.ts'
import { eventually, openOver, send } from './open-driver.ts'
import { ScriptedKafka } from './scripted-client.ts'

const kafka = new ScriptedKafka()
const driver = openOver(kafka)
const answers = new Map([
  ['patient.info', createDeferred<void>()],
  ['hasty.info', createDeferred<void>()],
])
await Promise.all([...answers.keys()].map(async (topic) => await send(driver, topic, 'before')))

const mended = createDeferred<void>()
let connects = 0
kafka.onConnect = async () => {
  connects += 1
  await mended.promise
}
kafka.afterStore = async ({ topic, partition }: ProduceRequest) => {
  const answer = answers.get(topic)
  answers.delete(topic)
  if (answer === undefined) return
  await answer.promise
  throw new ClientFault('ECONNRESET', 'reset', { written: true, partition })
}
const [patientLost, hastyLost] = [...answers.values()]
const patient = send(driver, 'patient.info', 'during', { timeoutMs: 60_000 }).catch((error: unknown) => error)
const hasty = send(driver, 'hasty.info', 'during', { timeoutMs: 300 }).catch((error: unknown) => error)
await hasty
patientLost?.resolve()
await eventually(() => connects > 0, 'the session being mended')
hastyLost?.resolve()
await new Promise((resolve) => setTimeout(resolve, 50))
console.log('mended')
mended.resolve()
await patient
await Promise.all(['patient.info', 'hasty.info'].map(async (topic) => await send(driver, topic, 'after')))
await driver.close()
console.log('done')
