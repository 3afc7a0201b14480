import { makeVersionedObject } from '@oslo-messaging/openstack'

const nova = (name: string, version: string, data: Readonly<Record<string, unknown>>): object =>
  makeVersionedObject({ prefix: 'nova_object', namespace: 'nova', name, version, data })

/** The payload of nova's `instance.create.end`. */
export const createdInstance = (host: string, address: string): object =>
  nova('InstanceCreatePayload', '1.13', {
    ...instance(host, address),
    keypairs: [],
    tags: [],
    trusted_image_certificates: null,
    instance_name: host,
  })

/** The payload of nova's `instance.delete.end`. */
export const deletedInstance = (host: string, address: string): object =>
  nova('InstanceActionPayload', '1.9', instance(host, address))

function instance(host: string, address: string): Readonly<Record<string, unknown>> {
  const flavor = nova('FlavorPayload', '1.4', {
    flavorid: '2',
    name: 'm1.small',
    memory_mb: 2048,
    vcpus: 1,
    root_gb: 20,
    ephemeral_gb: 0,
    swap: 0,
    rxtx_factor: 1,
    vcpu_weight: 0,
    disabled: false,
    is_public: true,
    extra_specs: {},
    projects: null,
    description: null,
  })
  const ip = nova('IpPayload', '1.0', {
    label: 'private',
    mac: 'fa:16:3e:4c:2c:30',
    meta: {},
    port_uuid: null,
    version: 4,
    address,
    device_name: 'tap1',
  })
  return {
    uuid: `id-of-${host.replaceAll(' ', '-')}`,
    user_id: 'ada',
    tenant_id: 'engines',
    display_name: host,
    display_description: host,
    host_name: host,
    host: 'compute1',
    node: 'compute1',
    reservation_id: 'r-1',
    os_type: null,
    architecture: 'x86_64',
    availability_zone: 'nova',
    image_uuid: null,
    key_name: null,
    kernel_id: '',
    ramdisk_id: '',
    created_at: '2026-01-01T00:00:00Z',
    launched_at: '2026-01-01T00:00:09Z',
    terminated_at: null,
    deleted_at: null,
    updated_at: null,
    state: 'active',
    power_state: 'running',
    task_state: null,
    progress: 0,
    block_devices: [],
    metadata: {},
    locked: false,
    auto_disk_config: 'MANUAL',
    request_id: null,
    action_initiator_user: 'ada',
    action_initiator_project: 'engines',
    locked_reason: null,
    shares: [],
    fault: null,
    flavor,
    ip_addresses: [ip],
  }
}
