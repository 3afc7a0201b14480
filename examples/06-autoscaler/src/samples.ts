import { PayloadMismatch } from '@oslo-messaging/openstack'

/** How much processor time a server has had, as ceilometer's compute agent polls it. */
export interface CpuSample {
  readonly server: string
  /** The stack that the server belongs to. */
  readonly stack: string
  readonly project: string
  /** Nanoseconds since the server was started. */
  readonly usedNs: number
  readonly processors: number
  readonly atMs: number
}

type Fields = Readonly<Record<string, unknown>>

/** The samples of the meter `cpu` that belong to a stack, of a `telemetry.polling` notification. Throws
 *  PayloadMismatch, with the field, for a payload that ceilometer does not send. */
export function cpuSamples(payload: unknown): readonly CpuSample[] {
  const fail = (field: string, problem: string): never => {
    throw new PayloadMismatch(field, problem, payload)
  }
  const object = (value: unknown, field: string): Fields =>
    typeof value === 'object' && value !== null ? (value as Fields) : fail(field, 'it must be an object')
  const text = (value: unknown, field: string): string =>
    typeof value === 'string' ? value : fail(field, 'it must be text')
  const number = (value: unknown, field: string): number =>
    typeof value === 'number' ? value : fail(field, 'it must be a number')

  const { samples } = object(payload, 'payload')
  if (!Array.isArray(samples)) return fail('payload.samples', 'it must be a list')
  return samples.flatMap((each: unknown, index) => {
    const path = `payload.samples[${index}]`
    const sample = object(each, path)
    if (sample['counter_name'] !== 'cpu') return []
    const metadata = object(sample['resource_metadata'], `${path}.resource_metadata`)
    // Of servers that belong to no group, ceilometer sends samples as well.
    const { server_group: stack } = object(metadata['user_metadata'] ?? {}, `${path}.resource_metadata.user_metadata`)
    if (typeof stack !== 'string') return []
    const at = Date.parse(`${text(sample['timestamp'], `${path}.timestamp`)}Z`)
    return [
      {
        server: text(sample['resource_id'], `${path}.resource_id`),
        stack,
        project: text(sample['project_id'], `${path}.project_id`),
        usedNs: number(sample['counter_volume'], `${path}.counter_volume`),
        processors: number(metadata['vcpus'], `${path}.resource_metadata.vcpus`),
        atMs: Number.isNaN(at) ? fail(`${path}.timestamp`, 'it must be a time') : at,
      },
    ]
  })
}
