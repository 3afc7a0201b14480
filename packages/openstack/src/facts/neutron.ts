/** Made by facts/facts.py from neutron 29.0.0, neutron-lib 5.0.1; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
import { type Requested, resourceFacts, type ResourceNotifications, type ResourcePayloads } from './resources.ts'
/** `network`, as the API of neutron shows it. */
export interface NeutronNetwork {
  readonly id: string
  readonly name: string | null
  readonly subnets: unknown
  readonly admin_state_up: boolean | null
  readonly status: string | null
  readonly tenant_id: string | null
  readonly shared: boolean | null
  readonly dns_domain?: unknown
  readonly 'router:external'?: boolean | null
  readonly l2_adjacency?: unknown
  readonly segments?: unknown
  readonly mtu?: unknown
  readonly port_security_enabled?: boolean | null
  readonly project_default?: boolean | null
  readonly 'provider:network_type'?: string | null
  readonly 'provider:physical_network'?: string | null
  readonly 'provider:segmentation_id'?: number | null
  readonly qinq?: boolean | null
  readonly project_id?: string | null
}
/** `network`, as a request has it. */
export type NeutronNetworkRequest = Requested<NeutronNetwork>
/** The payload of `network.create.start`. */
export type NeutronNetworkCreateStart = ResourcePayloads<'network', NeutronNetwork>['create.start']
/** The payload of `network.create.end`. */
export type NeutronNetworkCreateEnd = ResourcePayloads<'network', NeutronNetwork>['create.end']
/** The payload of `network.update.start`. */
export type NeutronNetworkUpdateStart = ResourcePayloads<'network', NeutronNetwork>['update.start']
/** The payload of `network.update.end`. */
export type NeutronNetworkUpdateEnd = ResourcePayloads<'network', NeutronNetwork>['update.end']
/** The payload of `network.delete.start`. */
export type NeutronNetworkDeleteStart = ResourcePayloads<'network', NeutronNetwork>['delete.start']
/** The payload of `network.delete.end`. */
export type NeutronNetworkDeleteEnd = ResourcePayloads<'network', NeutronNetwork>['delete.end']
/** `subnet`, as the API of neutron shows it. */
export interface NeutronSubnet {
  readonly id: string
  readonly name: string | null
  readonly ip_version: number | null
  readonly network_id: string | null
  readonly subnetpool_id: unknown
  readonly cidr: unknown
  readonly gateway_ip: unknown
  readonly allocation_pools: unknown
  readonly dns_nameservers: unknown
  readonly host_routes: unknown
  readonly tenant_id: string | null
  readonly enable_dhcp: boolean | null
  readonly ipv6_ra_mode: string | null
  readonly ipv6_address_mode: string | null
  readonly leak_routes?: boolean | null
  readonly segment_id?: string | null
  readonly dns_publish_fixed_ip?: boolean | null
  readonly project_id?: string | null
}
/** `subnet`, as a request has it. */
export type NeutronSubnetRequest = Requested<NeutronSubnet>
/** The payload of `subnet.create.start`. */
export type NeutronSubnetCreateStart = ResourcePayloads<'subnet', NeutronSubnet>['create.start']
/** The payload of `subnet.create.end`. */
export type NeutronSubnetCreateEnd = ResourcePayloads<'subnet', NeutronSubnet>['create.end']
/** The payload of `subnet.update.start`. */
export type NeutronSubnetUpdateStart = ResourcePayloads<'subnet', NeutronSubnet>['update.start']
/** The payload of `subnet.update.end`. */
export type NeutronSubnetUpdateEnd = ResourcePayloads<'subnet', NeutronSubnet>['update.end']
/** The payload of `subnet.delete.start`. */
export type NeutronSubnetDeleteStart = ResourcePayloads<'subnet', NeutronSubnet>['delete.start']
/** The payload of `subnet.delete.end`. */
export type NeutronSubnetDeleteEnd = ResourcePayloads<'subnet', NeutronSubnet>['delete.end']
/** `port`, as the API of neutron shows it. */
export interface NeutronPort {
  readonly id: string
  readonly name: string | null
  readonly network_id: string | null
  readonly admin_state_up: boolean | null
  readonly mac_address: string | null
  readonly fixed_ips: unknown
  readonly device_id: string | null
  readonly device_owner: string | null
  readonly tenant_id: string | null
  readonly status: string | null
  readonly security_groups?: unknown
  readonly allowed_address_pairs?: unknown
  readonly data_plane_status?: string | null
  readonly dns_name?: unknown
  readonly dns_assignment?: unknown
  readonly dns_domain?: unknown
  readonly extra_dhcp_opts?: unknown
  readonly ip_allocation?: unknown
  readonly device_profile?: string | null
  readonly hardware_offload_type?: string | null
  readonly hints?: unknown
  readonly numa_affinity_policy?: string | null
  readonly resource_request?: unknown
  readonly port_security_enabled?: boolean | null
  readonly trusted?: boolean | null
  readonly 'binding:vif_type'?: unknown
  readonly 'binding:vif_details'?: unknown
  readonly 'binding:vnic_type'?: string | null
  readonly 'binding:host_id'?: unknown
  readonly 'binding:profile'?: unknown
  readonly trunk_details?: unknown
  readonly project_id?: string | null
}
/** `port`, as a request has it. */
export type NeutronPortRequest = Requested<NeutronPort>
/** The payload of `port.create.start`. */
export type NeutronPortCreateStart = ResourcePayloads<'port', NeutronPort>['create.start']
/** The payload of `port.create.end`. */
export type NeutronPortCreateEnd = ResourcePayloads<'port', NeutronPort>['create.end']
/** The payload of `port.update.start`. */
export type NeutronPortUpdateStart = ResourcePayloads<'port', NeutronPort>['update.start']
/** The payload of `port.update.end`. */
export type NeutronPortUpdateEnd = ResourcePayloads<'port', NeutronPort>['update.end']
/** The payload of `port.delete.start`. */
export type NeutronPortDeleteStart = ResourcePayloads<'port', NeutronPort>['delete.start']
/** The payload of `port.delete.end`. */
export type NeutronPortDeleteEnd = ResourcePayloads<'port', NeutronPort>['delete.end']
/** `router`, as the API of neutron shows it. */
export interface NeutronRouter {
  readonly id: string
  readonly name: string | null
  readonly admin_state_up: boolean | null
  readonly status: string | null
  readonly tenant_id: string | null
  readonly external_gateway_info: string | null
  readonly distributed?: boolean | null
  readonly evpn_vni?: number | null
  readonly conntrack_helpers?: unknown
  readonly routes?: unknown
  readonly enable_default_route_bfd?: boolean | null
  readonly enable_default_route_ecmp?: boolean | null
  readonly external_gateways?: unknown
  readonly ha?: boolean | null
  readonly enable_ndp_proxy?: boolean | null
  readonly flavor_id?: unknown
  readonly enable_snat?: boolean | null
  readonly service_type_id?: string | null
  readonly project_id?: string | null
}
/** `router`, as a request has it. */
export type NeutronRouterRequest = Requested<NeutronRouter>
/** The payload of `router.create.start`. */
export type NeutronRouterCreateStart = ResourcePayloads<'router', NeutronRouter>['create.start']
/** The payload of `router.create.end`. */
export type NeutronRouterCreateEnd = ResourcePayloads<'router', NeutronRouter>['create.end']
/** The payload of `router.update.start`. */
export type NeutronRouterUpdateStart = ResourcePayloads<'router', NeutronRouter>['update.start']
/** The payload of `router.update.end`. */
export type NeutronRouterUpdateEnd = ResourcePayloads<'router', NeutronRouter>['update.end']
/** The payload of `router.delete.start`. */
export type NeutronRouterDeleteStart = ResourcePayloads<'router', NeutronRouter>['delete.start']
/** The payload of `router.delete.end`. */
export type NeutronRouterDeleteEnd = ResourcePayloads<'router', NeutronRouter>['delete.end']
/** `floatingip`, as the API of neutron shows it. */
export interface NeutronFloatingip {
  readonly id: string
  readonly floating_ip_address: unknown
  readonly floating_network_id: string | null
  readonly router_id: string | null
  readonly port_id: string | null
  readonly fixed_ip_address: unknown
  readonly tenant_id: string | null
  readonly status: string | null
  readonly dns_name?: unknown
  readonly dns_domain?: unknown
  readonly port_forwardings?: unknown
  readonly distributed?: boolean | null
  readonly port_details?: unknown
  readonly project_id?: string | null
}
/** `floatingip`, as a request has it. */
export type NeutronFloatingipRequest = Requested<NeutronFloatingip>
/** The payload of `floatingip.create.start`. */
export type NeutronFloatingipCreateStart = ResourcePayloads<'floatingip', NeutronFloatingip>['create.start']
/** The payload of `floatingip.create.end`. */
export type NeutronFloatingipCreateEnd = ResourcePayloads<'floatingip', NeutronFloatingip>['create.end']
/** The payload of `floatingip.update.start`. */
export type NeutronFloatingipUpdateStart = ResourcePayloads<'floatingip', NeutronFloatingip>['update.start']
/** The payload of `floatingip.update.end`. */
export type NeutronFloatingipUpdateEnd = ResourcePayloads<'floatingip', NeutronFloatingip>['update.end']
/** The payload of `floatingip.delete.start`. */
export type NeutronFloatingipDeleteStart = ResourcePayloads<'floatingip', NeutronFloatingip>['delete.start']
/** The payload of `floatingip.delete.end`. */
export type NeutronFloatingipDeleteEnd = ResourcePayloads<'floatingip', NeutronFloatingip>['delete.end']
/** `security_group`, as the API of neutron shows it. */
export interface NeutronSecurityGroup {
  readonly id: string
  readonly name: string | null
  readonly tenant_id: string | null
  readonly security_group_rules: unknown
  readonly shared?: boolean | null
  readonly stateful?: boolean | null
  readonly project_id?: string | null
}
/** `security_group`, as a request has it. */
export type NeutronSecurityGroupRequest = Requested<NeutronSecurityGroup>
/** The payload of `security_group.create.start`. */
export type NeutronSecurityGroupCreateStart = ResourcePayloads<'security_group', NeutronSecurityGroup>['create.start']
/** The payload of `security_group.create.end`. */
export type NeutronSecurityGroupCreateEnd = ResourcePayloads<'security_group', NeutronSecurityGroup>['create.end']
/** The payload of `security_group.update.start`. */
export type NeutronSecurityGroupUpdateStart = ResourcePayloads<'security_group', NeutronSecurityGroup>['update.start']
/** The payload of `security_group.update.end`. */
export type NeutronSecurityGroupUpdateEnd = ResourcePayloads<'security_group', NeutronSecurityGroup>['update.end']
/** The payload of `security_group.delete.start`. */
export type NeutronSecurityGroupDeleteStart = ResourcePayloads<'security_group', NeutronSecurityGroup>['delete.start']
/** The payload of `security_group.delete.end`. */
export type NeutronSecurityGroupDeleteEnd = ResourcePayloads<'security_group', NeutronSecurityGroup>['delete.end']
/** `security_group_rule`, as the API of neutron shows it. */
export interface NeutronSecurityGroupRule {
  readonly id: string
  readonly security_group_id: string | null
  readonly remote_group_id: unknown
  readonly direction: string | null
  readonly protocol: unknown
  readonly port_range_min: unknown
  readonly port_range_max: unknown
  readonly ethertype: string | null
  readonly remote_ip_prefix: unknown
  readonly tenant_id: string | null
  readonly normalized_cidr?: unknown
  readonly remote_address_group_id?: unknown
  readonly belongs_to_default_sg?: boolean | null
  readonly project_id?: string | null
}
/** `security_group_rule`, as a request has it. */
export type NeutronSecurityGroupRuleRequest = Requested<NeutronSecurityGroupRule>
/** The payload of `security_group_rule.create.start`. */
export type NeutronSecurityGroupRuleCreateStart = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['create.start']
/** The payload of `security_group_rule.create.end`. */
export type NeutronSecurityGroupRuleCreateEnd = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['create.end']
/** The payload of `security_group_rule.update.start`. */
export type NeutronSecurityGroupRuleUpdateStart = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['update.start']
/** The payload of `security_group_rule.update.end`. */
export type NeutronSecurityGroupRuleUpdateEnd = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['update.end']
/** The payload of `security_group_rule.delete.start`. */
export type NeutronSecurityGroupRuleDeleteStart = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['delete.start']
/** The payload of `security_group_rule.delete.end`. */
export type NeutronSecurityGroupRuleDeleteEnd = ResourcePayloads<
  'security_group_rule',
  NeutronSecurityGroupRule
>['delete.end']
/** What neutron notifies: event type to payload. */
export interface NeutronNotifications
  extends
    ResourceNotifications<'network', NeutronNetwork>,
    ResourceNotifications<'subnet', NeutronSubnet>,
    ResourceNotifications<'port', NeutronPort>,
    ResourceNotifications<'router', NeutronRouter>,
    ResourceNotifications<'floatingip', NeutronFloatingip>,
    ResourceNotifications<'security_group', NeutronSecurityGroup>,
    ResourceNotifications<'security_group_rule', NeutronSecurityGroupRule> {}
/** The payloads of neutron as data, to check what arrives. */
export const NEUTRON: ServiceFacts = {
  service: 'neutron',
  prefix: null,
  source: 'neutron 29.0.0, neutron-lib 5.0.1',
  ...resourceFacts({
    network: {
      className: 'Network',
      fields: {
        id: 'string',
        name: 'string?',
        subnets: 'any',
        admin_state_up: 'boolean?',
        status: 'string?',
        tenant_id: 'string?',
        shared: 'boolean?',
        dns_domain: '~any',
        'router:external': '~boolean?',
        l2_adjacency: '~any',
        segments: '~any',
        mtu: '~any',
        port_security_enabled: '~boolean?',
        project_default: '~boolean?',
        'provider:network_type': '~string?',
        'provider:physical_network': '~string?',
        'provider:segmentation_id': '~integer?',
        qinq: '~boolean?',
        project_id: '~string?',
      },
    },
    subnet: {
      className: 'Subnet',
      fields: {
        id: 'string',
        name: 'string?',
        ip_version: 'integer?',
        network_id: 'string?',
        subnetpool_id: 'any',
        cidr: 'any',
        gateway_ip: 'any',
        allocation_pools: 'any',
        dns_nameservers: 'any',
        host_routes: 'any',
        tenant_id: 'string?',
        enable_dhcp: 'boolean?',
        ipv6_ra_mode: 'string?',
        ipv6_address_mode: 'string?',
        leak_routes: '~boolean?',
        segment_id: '~string?',
        dns_publish_fixed_ip: '~boolean?',
        project_id: '~string?',
      },
    },
    port: {
      className: 'Port',
      fields: {
        id: 'string',
        name: 'string?',
        network_id: 'string?',
        admin_state_up: 'boolean?',
        mac_address: 'string?',
        fixed_ips: 'any',
        device_id: 'string?',
        device_owner: 'string?',
        tenant_id: 'string?',
        status: 'string?',
        security_groups: '~any',
        allowed_address_pairs: '~any',
        data_plane_status: '~string?',
        dns_name: '~any',
        dns_assignment: '~any',
        dns_domain: '~any',
        extra_dhcp_opts: '~any',
        ip_allocation: '~any',
        device_profile: '~string?',
        hardware_offload_type: '~string?',
        hints: '~any',
        numa_affinity_policy: '~string?',
        resource_request: '~any',
        port_security_enabled: '~boolean?',
        trusted: '~boolean?',
        'binding:vif_type': '~any',
        'binding:vif_details': '~any',
        'binding:vnic_type': '~string?',
        'binding:host_id': '~any',
        'binding:profile': '~any',
        trunk_details: '~any',
        project_id: '~string?',
      },
    },
    router: {
      className: 'Router',
      fields: {
        id: 'string',
        name: 'string?',
        admin_state_up: 'boolean?',
        status: 'string?',
        tenant_id: 'string?',
        external_gateway_info: 'string?',
        distributed: '~boolean?',
        evpn_vni: '~integer?',
        conntrack_helpers: '~any',
        routes: '~any',
        enable_default_route_bfd: '~boolean?',
        enable_default_route_ecmp: '~boolean?',
        external_gateways: '~any',
        ha: '~boolean?',
        enable_ndp_proxy: '~boolean?',
        flavor_id: '~any',
        enable_snat: '~boolean?',
        service_type_id: '~string?',
        project_id: '~string?',
      },
    },
    floatingip: {
      className: 'Floatingip',
      fields: {
        id: 'string',
        floating_ip_address: 'any',
        floating_network_id: 'string?',
        router_id: 'string?',
        port_id: 'string?',
        fixed_ip_address: 'any',
        tenant_id: 'string?',
        status: 'string?',
        dns_name: '~any',
        dns_domain: '~any',
        port_forwardings: '~any',
        distributed: '~boolean?',
        port_details: '~any',
        project_id: '~string?',
      },
    },
    security_group: {
      className: 'SecurityGroup',
      fields: {
        id: 'string',
        name: 'string?',
        tenant_id: 'string?',
        security_group_rules: 'any',
        shared: '~boolean?',
        stateful: '~boolean?',
        project_id: '~string?',
      },
    },
    security_group_rule: {
      className: 'SecurityGroupRule',
      fields: {
        id: 'string',
        security_group_id: 'string?',
        remote_group_id: 'any',
        direction: 'string?',
        protocol: 'any',
        port_range_min: 'any',
        port_range_max: 'any',
        ethertype: 'string?',
        remote_ip_prefix: 'any',
        tenant_id: 'string?',
        normalized_cidr: '~any',
        remote_address_group_id: '~any',
        belongs_to_default_sg: '~boolean?',
        project_id: '~string?',
      },
    },
  }),
}
