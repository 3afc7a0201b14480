import { getMessaging } from '@oslo-messaging/core'
import { Callers } from './callers.ts'
import { startPython } from './python-service.ts'
import { type Stock, stockEndpoint } from './stock.ts'
import type { Story } from './story.ts'

/** From Python alone to Node alone, and back, while clients call without a pause. */
export async function roll(
  story: Story,
  { python, configFile }: { readonly python: string; readonly configFile: string },
): Promise<void> {
  const open = async (processname: string) =>
    await getMessaging({
      configFiles: configFile,
      env: process.env,
      notifications: false,
      overrides: { oslo_messaging_rabbit: { processname } },
    })
  await using old = await startPython(python, configFile)
  const clients = await open('stock-clients')
  const callers = new Callers(clients.client<Stock>({ topic: 'stock', version: '1.1' }), 8)
  const before = await callers.whoAnswers(100)
  story.tell('before', `${names(before)} answers every call`, { by: before })

  const service = await open('stock-node')
  service.server({ topic: 'stock', server: 'stock-node' }, [stockEndpoint])
  await service.start()
  await callers.reach(['python', 'node'], 100)
  story.tell('both', 'Node has come, and both answer', {})

  const code = await old.drain()
  story.tell('drained', `Python was told to stop: it finished what it had, exit code ${code}`, { code })

  const after = await callers.whoAnswers(200)
  story.tell('after', `${names(after)} answers every call`, { by: after })

  await using again = await startPython(python, configFile)
  await callers.reach(['python', 'node'], 100)
  await service.drain()
  const back = await callers.whoAnswers(100)
  story.tell('back', `The way back: Python has come again, Node was drained, and ${names(back)} answers`, { by: back })

  await callers.stop()
  const { answered, failures } = callers
  const first = failures.length === 0 ? '' : `, the first with ${String(failures[0])}`
  story.tell('done', `${failures.length} calls failed${first}`, { answered, failed: failures.length })
  await again.drain()
  await clients.drain()
}

function names(servers: readonly string[]): string {
  return servers.map((name) => name.charAt(0).toUpperCase() + name.slice(1)).join(' and ')
}
