import type { SendOperation, Transport } from '@oslo-messaging/core'
import { metricsOf } from './metric.ts'
import { MetricSender } from './sender.ts'

const GROUP = 'oslo_messaging_metrics'

/** What core calls for a transport of RPC when `[oslo_messaging_metrics] metrics_enabled` is set: has each call and
 *  cast of its clients measured, and sent to `metrics_socket_file`. The returned function sends what waits, and ends
 *  it. */
export async function extendTransport(transport: Transport): Promise<() => Promise<void>> {
  const { conf, logger } = transport
  const processName = conf.get(GROUP, 'metrics_process_name')
  const sender = new MetricSender({
    path: conf.get(GROUP, 'metrics_socket_file'),
    bufferSize: conf.get(GROUP, 'metrics_buffer_size'),
    giveUpMs: conf.get(GROUP, 'metrics_thread_stop_timeout') * 1000,
    logger,
  })
  const measure = async <Result>(operation: SendOperation, next: () => Promise<Result>): Promise<Result> => {
    const { start, end, duration, exception } = metricsOf(operation, processName)
    sender.add(start())
    const begun = performance.now()
    try {
      const result = await next()
      sender.add(duration((performance.now() - begun) / 1000))
      sender.add(end())
      return result
    } catch (error) {
      // As Python since 15: what failed has neither a duration nor an end.
      sender.add(exception(error instanceof Error ? error.name : 'Error'))
      throw error
    }
  }
  transport.use({ call: measure, cast: measure })
  return await Promise.resolve(async () => await sender.close())
}
