/** Made by facts/facts.py from neutron 29.0.0, neutron-lib 5.0.1; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
/** `Network` of neutron. */
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
/** `NetworkRequest` of neutron. */
export interface NeutronNetworkRequest {
  readonly id?: string | null
  readonly name?: string | null
  readonly subnets?: unknown
  readonly admin_state_up?: boolean | null
  readonly status?: string | null
  readonly tenant_id?: string | null
  readonly shared?: boolean | null
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
/** `NetworkCreateStart` of neutron. */
export interface NeutronNetworkCreateStart {
  readonly network?: NeutronNetworkRequest
  readonly networks?: readonly NeutronNetworkRequest[]
}
/** `NetworkCreateEnd` of neutron. */
export interface NeutronNetworkCreateEnd {
  readonly network?: NeutronNetwork
  readonly networks?: readonly NeutronNetwork[]
}
/** `NetworkUpdateStart` of neutron. */
export interface NeutronNetworkUpdateStart {
  readonly network?: NeutronNetworkRequest
  readonly id: string
}
/** `NetworkUpdateEnd` of neutron. */
export interface NeutronNetworkUpdateEnd {
  readonly network: NeutronNetwork
}
/** `NetworkDeleteStart` of neutron. */
export interface NeutronNetworkDeleteStart {
  readonly network_id: string
}
/** `NetworkDeleteEnd` of neutron. */
export interface NeutronNetworkDeleteEnd {
  readonly network_id: string
  readonly network: NeutronNetworkRequest
}
/** `Subnet` of neutron. */
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
/** `SubnetRequest` of neutron. */
export interface NeutronSubnetRequest {
  readonly id?: string | null
  readonly name?: string | null
  readonly ip_version?: number | null
  readonly network_id?: string | null
  readonly subnetpool_id?: unknown
  readonly cidr?: unknown
  readonly gateway_ip?: unknown
  readonly allocation_pools?: unknown
  readonly dns_nameservers?: unknown
  readonly host_routes?: unknown
  readonly tenant_id?: string | null
  readonly enable_dhcp?: boolean | null
  readonly ipv6_ra_mode?: string | null
  readonly ipv6_address_mode?: string | null
  readonly leak_routes?: boolean | null
  readonly segment_id?: string | null
  readonly dns_publish_fixed_ip?: boolean | null
  readonly project_id?: string | null
}
/** `SubnetCreateStart` of neutron. */
export interface NeutronSubnetCreateStart {
  readonly subnet?: NeutronSubnetRequest
  readonly subnets?: readonly NeutronSubnetRequest[]
}
/** `SubnetCreateEnd` of neutron. */
export interface NeutronSubnetCreateEnd {
  readonly subnet?: NeutronSubnet
  readonly subnets?: readonly NeutronSubnet[]
}
/** `SubnetUpdateStart` of neutron. */
export interface NeutronSubnetUpdateStart {
  readonly subnet?: NeutronSubnetRequest
  readonly id: string
}
/** `SubnetUpdateEnd` of neutron. */
export interface NeutronSubnetUpdateEnd {
  readonly subnet: NeutronSubnet
}
/** `SubnetDeleteStart` of neutron. */
export interface NeutronSubnetDeleteStart {
  readonly subnet_id: string
}
/** `SubnetDeleteEnd` of neutron. */
export interface NeutronSubnetDeleteEnd {
  readonly subnet_id: string
  readonly subnet: NeutronSubnetRequest
}
/** `Port` of neutron. */
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
/** `PortRequest` of neutron. */
export interface NeutronPortRequest {
  readonly id?: string | null
  readonly name?: string | null
  readonly network_id?: string | null
  readonly admin_state_up?: boolean | null
  readonly mac_address?: string | null
  readonly fixed_ips?: unknown
  readonly device_id?: string | null
  readonly device_owner?: string | null
  readonly tenant_id?: string | null
  readonly status?: string | null
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
/** `PortCreateStart` of neutron. */
export interface NeutronPortCreateStart {
  readonly port?: NeutronPortRequest
  readonly ports?: readonly NeutronPortRequest[]
}
/** `PortCreateEnd` of neutron. */
export interface NeutronPortCreateEnd {
  readonly port?: NeutronPort
  readonly ports?: readonly NeutronPort[]
}
/** `PortUpdateStart` of neutron. */
export interface NeutronPortUpdateStart {
  readonly port?: NeutronPortRequest
  readonly id: string
}
/** `PortUpdateEnd` of neutron. */
export interface NeutronPortUpdateEnd {
  readonly port: NeutronPort
}
/** `PortDeleteStart` of neutron. */
export interface NeutronPortDeleteStart {
  readonly port_id: string
}
/** `PortDeleteEnd` of neutron. */
export interface NeutronPortDeleteEnd {
  readonly port_id: string
  readonly port: NeutronPortRequest
}
/** `Router` of neutron. */
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
/** `RouterRequest` of neutron. */
export interface NeutronRouterRequest {
  readonly id?: string | null
  readonly name?: string | null
  readonly admin_state_up?: boolean | null
  readonly status?: string | null
  readonly tenant_id?: string | null
  readonly external_gateway_info?: string | null
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
/** `RouterCreateStart` of neutron. */
export interface NeutronRouterCreateStart {
  readonly router?: NeutronRouterRequest
  readonly routers?: readonly NeutronRouterRequest[]
}
/** `RouterCreateEnd` of neutron. */
export interface NeutronRouterCreateEnd {
  readonly router?: NeutronRouter
  readonly routers?: readonly NeutronRouter[]
}
/** `RouterUpdateStart` of neutron. */
export interface NeutronRouterUpdateStart {
  readonly router?: NeutronRouterRequest
  readonly id: string
}
/** `RouterUpdateEnd` of neutron. */
export interface NeutronRouterUpdateEnd {
  readonly router: NeutronRouter
}
/** `RouterDeleteStart` of neutron. */
export interface NeutronRouterDeleteStart {
  readonly router_id: string
}
/** `RouterDeleteEnd` of neutron. */
export interface NeutronRouterDeleteEnd {
  readonly router_id: string
  readonly router: NeutronRouterRequest
}
/** `Floatingip` of neutron. */
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
/** `FloatingipRequest` of neutron. */
export interface NeutronFloatingipRequest {
  readonly id?: string | null
  readonly floating_ip_address?: unknown
  readonly floating_network_id?: string | null
  readonly router_id?: string | null
  readonly port_id?: string | null
  readonly fixed_ip_address?: unknown
  readonly tenant_id?: string | null
  readonly status?: string | null
  readonly dns_name?: unknown
  readonly dns_domain?: unknown
  readonly port_forwardings?: unknown
  readonly distributed?: boolean | null
  readonly port_details?: unknown
  readonly project_id?: string | null
}
/** `FloatingipCreateStart` of neutron. */
export interface NeutronFloatingipCreateStart {
  readonly floatingip?: NeutronFloatingipRequest
  readonly floatingips?: readonly NeutronFloatingipRequest[]
}
/** `FloatingipCreateEnd` of neutron. */
export interface NeutronFloatingipCreateEnd {
  readonly floatingip?: NeutronFloatingip
  readonly floatingips?: readonly NeutronFloatingip[]
}
/** `FloatingipUpdateStart` of neutron. */
export interface NeutronFloatingipUpdateStart {
  readonly floatingip?: NeutronFloatingipRequest
  readonly id: string
}
/** `FloatingipUpdateEnd` of neutron. */
export interface NeutronFloatingipUpdateEnd {
  readonly floatingip: NeutronFloatingip
}
/** `FloatingipDeleteStart` of neutron. */
export interface NeutronFloatingipDeleteStart {
  readonly floatingip_id: string
}
/** `FloatingipDeleteEnd` of neutron. */
export interface NeutronFloatingipDeleteEnd {
  readonly floatingip_id: string
  readonly floatingip: NeutronFloatingipRequest
}
/** `SecurityGroup` of neutron. */
export interface NeutronSecurityGroup {
  readonly id: string
  readonly name: string | null
  readonly tenant_id: string | null
  readonly security_group_rules: unknown
  readonly shared?: boolean | null
  readonly stateful?: boolean | null
  readonly project_id?: string | null
}
/** `SecurityGroupRequest` of neutron. */
export interface NeutronSecurityGroupRequest {
  readonly id?: string | null
  readonly name?: string | null
  readonly tenant_id?: string | null
  readonly security_group_rules?: unknown
  readonly shared?: boolean | null
  readonly stateful?: boolean | null
  readonly project_id?: string | null
}
/** `SecurityGroupCreateStart` of neutron. */
export interface NeutronSecurityGroupCreateStart {
  readonly security_group?: NeutronSecurityGroupRequest
  readonly security_groups?: readonly NeutronSecurityGroupRequest[]
}
/** `SecurityGroupCreateEnd` of neutron. */
export interface NeutronSecurityGroupCreateEnd {
  readonly security_group?: NeutronSecurityGroup
  readonly security_groups?: readonly NeutronSecurityGroup[]
}
/** `SecurityGroupUpdateStart` of neutron. */
export interface NeutronSecurityGroupUpdateStart {
  readonly security_group?: NeutronSecurityGroupRequest
  readonly id: string
}
/** `SecurityGroupUpdateEnd` of neutron. */
export interface NeutronSecurityGroupUpdateEnd {
  readonly security_group: NeutronSecurityGroup
}
/** `SecurityGroupDeleteStart` of neutron. */
export interface NeutronSecurityGroupDeleteStart {
  readonly security_group_id: string
}
/** `SecurityGroupDeleteEnd` of neutron. */
export interface NeutronSecurityGroupDeleteEnd {
  readonly security_group_id: string
  readonly security_group: NeutronSecurityGroupRequest
}
/** `SecurityGroupRule` of neutron. */
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
/** `SecurityGroupRuleRequest` of neutron. */
export interface NeutronSecurityGroupRuleRequest {
  readonly id?: string | null
  readonly security_group_id?: string | null
  readonly remote_group_id?: unknown
  readonly direction?: string | null
  readonly protocol?: unknown
  readonly port_range_min?: unknown
  readonly port_range_max?: unknown
  readonly ethertype?: string | null
  readonly remote_ip_prefix?: unknown
  readonly tenant_id?: string | null
  readonly normalized_cidr?: unknown
  readonly remote_address_group_id?: unknown
  readonly belongs_to_default_sg?: boolean | null
  readonly project_id?: string | null
}
/** `SecurityGroupRuleCreateStart` of neutron. */
export interface NeutronSecurityGroupRuleCreateStart {
  readonly security_group_rule?: NeutronSecurityGroupRuleRequest
  readonly security_group_rules?: readonly NeutronSecurityGroupRuleRequest[]
}
/** `SecurityGroupRuleCreateEnd` of neutron. */
export interface NeutronSecurityGroupRuleCreateEnd {
  readonly security_group_rule?: NeutronSecurityGroupRule
  readonly security_group_rules?: readonly NeutronSecurityGroupRule[]
}
/** `SecurityGroupRuleUpdateStart` of neutron. */
export interface NeutronSecurityGroupRuleUpdateStart {
  readonly security_group_rule?: NeutronSecurityGroupRuleRequest
  readonly id: string
}
/** `SecurityGroupRuleUpdateEnd` of neutron. */
export interface NeutronSecurityGroupRuleUpdateEnd {
  readonly security_group_rule: NeutronSecurityGroupRule
}
/** `SecurityGroupRuleDeleteStart` of neutron. */
export interface NeutronSecurityGroupRuleDeleteStart {
  readonly security_group_rule_id: string
}
/** `SecurityGroupRuleDeleteEnd` of neutron. */
export interface NeutronSecurityGroupRuleDeleteEnd {
  readonly security_group_rule_id: string
  readonly security_group_rule: NeutronSecurityGroupRuleRequest
}
/** What neutron notifies: event type to payload. */
export interface NeutronNotifications {
  readonly 'floatingip.create.end': NeutronFloatingipCreateEnd
  readonly 'floatingip.create.start': NeutronFloatingipCreateStart
  readonly 'floatingip.delete.end': NeutronFloatingipDeleteEnd
  readonly 'floatingip.delete.start': NeutronFloatingipDeleteStart
  readonly 'floatingip.update.end': NeutronFloatingipUpdateEnd
  readonly 'floatingip.update.start': NeutronFloatingipUpdateStart
  readonly 'network.create.end': NeutronNetworkCreateEnd
  readonly 'network.create.start': NeutronNetworkCreateStart
  readonly 'network.delete.end': NeutronNetworkDeleteEnd
  readonly 'network.delete.start': NeutronNetworkDeleteStart
  readonly 'network.update.end': NeutronNetworkUpdateEnd
  readonly 'network.update.start': NeutronNetworkUpdateStart
  readonly 'port.create.end': NeutronPortCreateEnd
  readonly 'port.create.start': NeutronPortCreateStart
  readonly 'port.delete.end': NeutronPortDeleteEnd
  readonly 'port.delete.start': NeutronPortDeleteStart
  readonly 'port.update.end': NeutronPortUpdateEnd
  readonly 'port.update.start': NeutronPortUpdateStart
  readonly 'router.create.end': NeutronRouterCreateEnd
  readonly 'router.create.start': NeutronRouterCreateStart
  readonly 'router.delete.end': NeutronRouterDeleteEnd
  readonly 'router.delete.start': NeutronRouterDeleteStart
  readonly 'router.update.end': NeutronRouterUpdateEnd
  readonly 'router.update.start': NeutronRouterUpdateStart
  readonly 'security_group.create.end': NeutronSecurityGroupCreateEnd
  readonly 'security_group.create.start': NeutronSecurityGroupCreateStart
  readonly 'security_group.delete.end': NeutronSecurityGroupDeleteEnd
  readonly 'security_group.delete.start': NeutronSecurityGroupDeleteStart
  readonly 'security_group.update.end': NeutronSecurityGroupUpdateEnd
  readonly 'security_group.update.start': NeutronSecurityGroupUpdateStart
  readonly 'security_group_rule.create.end': NeutronSecurityGroupRuleCreateEnd
  readonly 'security_group_rule.create.start': NeutronSecurityGroupRuleCreateStart
  readonly 'security_group_rule.delete.end': NeutronSecurityGroupRuleDeleteEnd
  readonly 'security_group_rule.delete.start': NeutronSecurityGroupRuleDeleteStart
  readonly 'security_group_rule.update.end': NeutronSecurityGroupRuleUpdateEnd
  readonly 'security_group_rule.update.start': NeutronSecurityGroupRuleUpdateStart
  readonly 'subnet.create.end': NeutronSubnetCreateEnd
  readonly 'subnet.create.start': NeutronSubnetCreateStart
  readonly 'subnet.delete.end': NeutronSubnetDeleteEnd
  readonly 'subnet.delete.start': NeutronSubnetDeleteStart
  readonly 'subnet.update.end': NeutronSubnetUpdateEnd
  readonly 'subnet.update.start': NeutronSubnetUpdateStart
}
/** The payloads of neutron as data, to check what arrives. */
export const NEUTRON: ServiceFacts = {
  service: 'neutron',
  source: 'neutron 29.0.0, neutron-lib 5.0.1',
  prefix: null,
  objects: {
    Network: {
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
    NetworkRequest: {
      fields: {
        id: '~string?',
        name: '~string?',
        subnets: '~any?',
        admin_state_up: '~boolean?',
        status: '~string?',
        tenant_id: '~string?',
        shared: '~boolean?',
        dns_domain: '~any?',
        'router:external': '~boolean?',
        l2_adjacency: '~any?',
        segments: '~any?',
        mtu: '~any?',
        port_security_enabled: '~boolean?',
        project_default: '~boolean?',
        'provider:network_type': '~string?',
        'provider:physical_network': '~string?',
        'provider:segmentation_id': '~integer?',
        qinq: '~boolean?',
        project_id: '~string?',
      },
    },
    NetworkCreateStart: {
      fields: {
        network: '~@NetworkRequest',
        networks: '~@NetworkRequest[]',
      },
    },
    NetworkCreateEnd: {
      fields: {
        network: '~@Network',
        networks: '~@Network[]',
      },
    },
    NetworkUpdateStart: {
      fields: {
        network: '~@NetworkRequest',
        id: 'string',
      },
    },
    NetworkUpdateEnd: {
      fields: {
        network: '@Network',
      },
    },
    NetworkDeleteStart: {
      fields: {
        network_id: 'string',
      },
    },
    NetworkDeleteEnd: {
      fields: {
        network_id: 'string',
        network: '@NetworkRequest',
      },
    },
    Subnet: {
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
    SubnetRequest: {
      fields: {
        id: '~string?',
        name: '~string?',
        ip_version: '~integer?',
        network_id: '~string?',
        subnetpool_id: '~any?',
        cidr: '~any?',
        gateway_ip: '~any?',
        allocation_pools: '~any?',
        dns_nameservers: '~any?',
        host_routes: '~any?',
        tenant_id: '~string?',
        enable_dhcp: '~boolean?',
        ipv6_ra_mode: '~string?',
        ipv6_address_mode: '~string?',
        leak_routes: '~boolean?',
        segment_id: '~string?',
        dns_publish_fixed_ip: '~boolean?',
        project_id: '~string?',
      },
    },
    SubnetCreateStart: {
      fields: {
        subnet: '~@SubnetRequest',
        subnets: '~@SubnetRequest[]',
      },
    },
    SubnetCreateEnd: {
      fields: {
        subnet: '~@Subnet',
        subnets: '~@Subnet[]',
      },
    },
    SubnetUpdateStart: {
      fields: {
        subnet: '~@SubnetRequest',
        id: 'string',
      },
    },
    SubnetUpdateEnd: {
      fields: {
        subnet: '@Subnet',
      },
    },
    SubnetDeleteStart: {
      fields: {
        subnet_id: 'string',
      },
    },
    SubnetDeleteEnd: {
      fields: {
        subnet_id: 'string',
        subnet: '@SubnetRequest',
      },
    },
    Port: {
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
    PortRequest: {
      fields: {
        id: '~string?',
        name: '~string?',
        network_id: '~string?',
        admin_state_up: '~boolean?',
        mac_address: '~string?',
        fixed_ips: '~any?',
        device_id: '~string?',
        device_owner: '~string?',
        tenant_id: '~string?',
        status: '~string?',
        security_groups: '~any?',
        allowed_address_pairs: '~any?',
        data_plane_status: '~string?',
        dns_name: '~any?',
        dns_assignment: '~any?',
        dns_domain: '~any?',
        extra_dhcp_opts: '~any?',
        ip_allocation: '~any?',
        device_profile: '~string?',
        hardware_offload_type: '~string?',
        hints: '~any?',
        numa_affinity_policy: '~string?',
        resource_request: '~any?',
        port_security_enabled: '~boolean?',
        trusted: '~boolean?',
        'binding:vif_type': '~any?',
        'binding:vif_details': '~any?',
        'binding:vnic_type': '~string?',
        'binding:host_id': '~any?',
        'binding:profile': '~any?',
        trunk_details: '~any?',
        project_id: '~string?',
      },
    },
    PortCreateStart: {
      fields: {
        port: '~@PortRequest',
        ports: '~@PortRequest[]',
      },
    },
    PortCreateEnd: {
      fields: {
        port: '~@Port',
        ports: '~@Port[]',
      },
    },
    PortUpdateStart: {
      fields: {
        port: '~@PortRequest',
        id: 'string',
      },
    },
    PortUpdateEnd: {
      fields: {
        port: '@Port',
      },
    },
    PortDeleteStart: {
      fields: {
        port_id: 'string',
      },
    },
    PortDeleteEnd: {
      fields: {
        port_id: 'string',
        port: '@PortRequest',
      },
    },
    Router: {
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
    RouterRequest: {
      fields: {
        id: '~string?',
        name: '~string?',
        admin_state_up: '~boolean?',
        status: '~string?',
        tenant_id: '~string?',
        external_gateway_info: '~string?',
        distributed: '~boolean?',
        evpn_vni: '~integer?',
        conntrack_helpers: '~any?',
        routes: '~any?',
        enable_default_route_bfd: '~boolean?',
        enable_default_route_ecmp: '~boolean?',
        external_gateways: '~any?',
        ha: '~boolean?',
        enable_ndp_proxy: '~boolean?',
        flavor_id: '~any?',
        enable_snat: '~boolean?',
        service_type_id: '~string?',
        project_id: '~string?',
      },
    },
    RouterCreateStart: {
      fields: {
        router: '~@RouterRequest',
        routers: '~@RouterRequest[]',
      },
    },
    RouterCreateEnd: {
      fields: {
        router: '~@Router',
        routers: '~@Router[]',
      },
    },
    RouterUpdateStart: {
      fields: {
        router: '~@RouterRequest',
        id: 'string',
      },
    },
    RouterUpdateEnd: {
      fields: {
        router: '@Router',
      },
    },
    RouterDeleteStart: {
      fields: {
        router_id: 'string',
      },
    },
    RouterDeleteEnd: {
      fields: {
        router_id: 'string',
        router: '@RouterRequest',
      },
    },
    Floatingip: {
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
    FloatingipRequest: {
      fields: {
        id: '~string?',
        floating_ip_address: '~any?',
        floating_network_id: '~string?',
        router_id: '~string?',
        port_id: '~string?',
        fixed_ip_address: '~any?',
        tenant_id: '~string?',
        status: '~string?',
        dns_name: '~any?',
        dns_domain: '~any?',
        port_forwardings: '~any?',
        distributed: '~boolean?',
        port_details: '~any?',
        project_id: '~string?',
      },
    },
    FloatingipCreateStart: {
      fields: {
        floatingip: '~@FloatingipRequest',
        floatingips: '~@FloatingipRequest[]',
      },
    },
    FloatingipCreateEnd: {
      fields: {
        floatingip: '~@Floatingip',
        floatingips: '~@Floatingip[]',
      },
    },
    FloatingipUpdateStart: {
      fields: {
        floatingip: '~@FloatingipRequest',
        id: 'string',
      },
    },
    FloatingipUpdateEnd: {
      fields: {
        floatingip: '@Floatingip',
      },
    },
    FloatingipDeleteStart: {
      fields: {
        floatingip_id: 'string',
      },
    },
    FloatingipDeleteEnd: {
      fields: {
        floatingip_id: 'string',
        floatingip: '@FloatingipRequest',
      },
    },
    SecurityGroup: {
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
    SecurityGroupRequest: {
      fields: {
        id: '~string?',
        name: '~string?',
        tenant_id: '~string?',
        security_group_rules: '~any?',
        shared: '~boolean?',
        stateful: '~boolean?',
        project_id: '~string?',
      },
    },
    SecurityGroupCreateStart: {
      fields: {
        security_group: '~@SecurityGroupRequest',
        security_groups: '~@SecurityGroupRequest[]',
      },
    },
    SecurityGroupCreateEnd: {
      fields: {
        security_group: '~@SecurityGroup',
        security_groups: '~@SecurityGroup[]',
      },
    },
    SecurityGroupUpdateStart: {
      fields: {
        security_group: '~@SecurityGroupRequest',
        id: 'string',
      },
    },
    SecurityGroupUpdateEnd: {
      fields: {
        security_group: '@SecurityGroup',
      },
    },
    SecurityGroupDeleteStart: {
      fields: {
        security_group_id: 'string',
      },
    },
    SecurityGroupDeleteEnd: {
      fields: {
        security_group_id: 'string',
        security_group: '@SecurityGroupRequest',
      },
    },
    SecurityGroupRule: {
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
    SecurityGroupRuleRequest: {
      fields: {
        id: '~string?',
        security_group_id: '~string?',
        remote_group_id: '~any?',
        direction: '~string?',
        protocol: '~any?',
        port_range_min: '~any?',
        port_range_max: '~any?',
        ethertype: '~string?',
        remote_ip_prefix: '~any?',
        tenant_id: '~string?',
        normalized_cidr: '~any?',
        remote_address_group_id: '~any?',
        belongs_to_default_sg: '~boolean?',
        project_id: '~string?',
      },
    },
    SecurityGroupRuleCreateStart: {
      fields: {
        security_group_rule: '~@SecurityGroupRuleRequest',
        security_group_rules: '~@SecurityGroupRuleRequest[]',
      },
    },
    SecurityGroupRuleCreateEnd: {
      fields: {
        security_group_rule: '~@SecurityGroupRule',
        security_group_rules: '~@SecurityGroupRule[]',
      },
    },
    SecurityGroupRuleUpdateStart: {
      fields: {
        security_group_rule: '~@SecurityGroupRuleRequest',
        id: 'string',
      },
    },
    SecurityGroupRuleUpdateEnd: {
      fields: {
        security_group_rule: '@SecurityGroupRule',
      },
    },
    SecurityGroupRuleDeleteStart: {
      fields: {
        security_group_rule_id: 'string',
      },
    },
    SecurityGroupRuleDeleteEnd: {
      fields: {
        security_group_rule_id: 'string',
        security_group_rule: '@SecurityGroupRuleRequest',
      },
    },
  },
  events: {
    'floatingip.create.end': 'FloatingipCreateEnd',
    'floatingip.create.start': 'FloatingipCreateStart',
    'floatingip.delete.end': 'FloatingipDeleteEnd',
    'floatingip.delete.start': 'FloatingipDeleteStart',
    'floatingip.update.end': 'FloatingipUpdateEnd',
    'floatingip.update.start': 'FloatingipUpdateStart',
    'network.create.end': 'NetworkCreateEnd',
    'network.create.start': 'NetworkCreateStart',
    'network.delete.end': 'NetworkDeleteEnd',
    'network.delete.start': 'NetworkDeleteStart',
    'network.update.end': 'NetworkUpdateEnd',
    'network.update.start': 'NetworkUpdateStart',
    'port.create.end': 'PortCreateEnd',
    'port.create.start': 'PortCreateStart',
    'port.delete.end': 'PortDeleteEnd',
    'port.delete.start': 'PortDeleteStart',
    'port.update.end': 'PortUpdateEnd',
    'port.update.start': 'PortUpdateStart',
    'router.create.end': 'RouterCreateEnd',
    'router.create.start': 'RouterCreateStart',
    'router.delete.end': 'RouterDeleteEnd',
    'router.delete.start': 'RouterDeleteStart',
    'router.update.end': 'RouterUpdateEnd',
    'router.update.start': 'RouterUpdateStart',
    'security_group.create.end': 'SecurityGroupCreateEnd',
    'security_group.create.start': 'SecurityGroupCreateStart',
    'security_group.delete.end': 'SecurityGroupDeleteEnd',
    'security_group.delete.start': 'SecurityGroupDeleteStart',
    'security_group.update.end': 'SecurityGroupUpdateEnd',
    'security_group.update.start': 'SecurityGroupUpdateStart',
    'security_group_rule.create.end': 'SecurityGroupRuleCreateEnd',
    'security_group_rule.create.start': 'SecurityGroupRuleCreateStart',
    'security_group_rule.delete.end': 'SecurityGroupRuleDeleteEnd',
    'security_group_rule.delete.start': 'SecurityGroupRuleDeleteStart',
    'security_group_rule.update.end': 'SecurityGroupRuleUpdateEnd',
    'security_group_rule.update.start': 'SecurityGroupRuleUpdateStart',
    'subnet.create.end': 'SubnetCreateEnd',
    'subnet.create.start': 'SubnetCreateStart',
    'subnet.delete.end': 'SubnetDeleteEnd',
    'subnet.delete.start': 'SubnetDeleteStart',
    'subnet.update.end': 'SubnetUpdateEnd',
    'subnet.update.start': 'SubnetUpdateStart',
  },
}
