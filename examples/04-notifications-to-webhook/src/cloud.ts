import { getNotificationTransport, getNotifier, loadConfig, type Notifier } from '@oslo-messaging/core'
import { makeVersionedObject } from '@oslo-messaging/openstack'

/** A service of a cloud that is not there: it notifies as the real one does. */
export interface Service {
  readonly notifier: Notifier
  close(): Promise<void>
}

export async function openService(exchange: string, publisherId: string, topic: string): Promise<Service> {
  const conf = await loadConfig({ overrides: { DEFAULT: { control_exchange: exchange } } })
  const bus = await getNotificationTransport(conf, { url: 'memory://' })
  return {
    notifier: getNotifier(bus, { publisherId, driver: 'messagingv2', topics: [topic] }),
    close: async () => void (await bus.close()),
  }
}

const nova = (name: string, version: string, data: Readonly<Record<string, unknown>>): object =>
  makeVersionedObject({ prefix: 'nova_object', namespace: 'nova', name, version, data })

/** The payload of nova's `instance.create.end`; `version` is that of its class. */
export function createdInstance(name: string, version = '1.13'): object {
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
  const address = nova('IpPayload', '1.0', {
    label: 'private',
    mac: 'fa:16:3e:4c:2c:30',
    meta: {},
    port_uuid: null,
    version: 4,
    address: '10.0.0.7',
    device_name: 'tap1',
  })
  return nova('InstanceCreatePayload', version, {
    uuid: '178b0921-8f85-4257-88b6-2e743b5a975c',
    user_id: 'ada',
    tenant_id: 'engines',
    display_name: name,
    display_description: name,
    host_name: name,
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
    keypairs: [],
    tags: [],
    trusted_image_certificates: null,
    instance_name: name,
    flavor,
    ip_addresses: [address],
  })
}

/** The payload of neutron's `floatingip.create.end`. */
export function createdFloatingIp(address: string): object {
  return {
    floatingip: {
      id: '2f245a7b-796b-4f26-9cf9-9e82d248fda7',
      floating_ip_address: address,
      floating_network_id: 'public',
      router_id: null,
      port_id: null,
      fixed_ip_address: null,
      tenant_id: 'engines',
      status: 'DOWN',
    },
  }
}
