/** One instance as nova tells of it. */
function instance(index: number, name: string): Record<string, unknown> {
  return {
    uuid: `0947786d-9409-463c-b834-cf6aab82ee${(index % 90) + 10}`,
    display_name: name,
    vcpus: index % 8,
    memory_mb: 2048,
    launched_at: '2026-11-28T14:00:00.000000',
    metadata: { owner: null, locked: true, load: [1, 2.5, index] },
    flavor: { name: 'm1.small', extra_specs: { 'hw:cpu_policy': 'shared' } },
  }
}

function records(bytes: number, name: string): Record<string, unknown> {
  const size = JSON.stringify(instance(0, name)).length
  return { instances: Array.from({ length: Math.ceil(bytes / size) }, (_, index) => instance(index, name)) }
}

/** Payloads of about so many bytes, by what they are made of. */
export const PAYLOADS: Readonly<Record<string, (bytes: number) => Record<string, unknown>>> = {
  records: (bytes) => records(bytes, 'vm'),
  'records with é': (bytes) => records(bytes, 'vm "é"'),
  'line breaks': (bytes) => ({ text: `${'y'.repeat(79)}\n`.repeat(Math.ceil(bytes / 80)) }),
  quotes: (bytes) => ({ text: 'say "hi", '.repeat(Math.ceil(bytes / 10)) }),
}
