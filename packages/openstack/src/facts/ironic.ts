/** Made by facts/facts.py from ironic 39.0.0; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
/** `AllocationCRUDPayload` 1.1 of ironic. */
export interface IronicAllocationCRUDPayload {
  readonly uuid: string | null
  readonly name: string | null
  readonly node_uuid: string | null
  readonly state: string | null
  readonly last_error: string | null
  readonly owner: string | null
  readonly resource_class: string | null
  readonly traits: readonly string[] | null
  readonly candidate_nodes: readonly string[] | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly created_at: string | null
  readonly updated_at: string | null
}
/** `ChassisCRUDPayload` 1.0 of ironic. */
export interface IronicChassisCRUDPayload {
  readonly description: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly uuid: string
}
/** `DeployTemplateCRUDPayload` 1.0 of ironic. */
export interface IronicDeployTemplateCRUDPayload {
  readonly created_at: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly name: string
  readonly steps: readonly unknown[]
  readonly updated_at: string | null
  readonly uuid: string
}
/** `InspectionRuleCRUDPayload` 1.0 of ironic. */
export interface IronicInspectionRuleCRUDPayload {
  readonly created_at: string | null
  readonly description: string | null
  readonly phase: string | null
  readonly priority: number
  readonly scope: string | null
  readonly sensitive: boolean
  readonly actions: readonly unknown[]
  readonly conditions: readonly unknown[] | null
  readonly updated_at: string | null
  readonly uuid: string
}
/** `NodeCRUDPayload` 1.15 of ironic. */
export interface IronicNodeCRUDPayload extends IronicNodePayload {
  readonly chassis_uuid: string | null
  readonly instance_info: Readonly<Record<string, unknown>> | null
  readonly driver_info: Readonly<Record<string, unknown>> | null
}
/** `NodeCorrectedPowerStatePayload` 1.17 of ironic. */
export interface IronicNodeCorrectedPowerStatePayload extends IronicNodePayload {
  readonly from_power: string | null
}
/** `NodePayload` 1.17 of ironic. */
export interface IronicNodePayload {
  readonly clean_step: Readonly<Record<string, unknown>> | null
  readonly conductor_group: string | null
  readonly console_enabled: boolean | null
  readonly created_at: string | null
  readonly deploy_step: Readonly<Record<string, unknown>> | null
  readonly description: string | null
  readonly disable_power_off: boolean | null
  readonly driver: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly boot_mode: string | null
  readonly secure_boot: boolean | null
  readonly inspection_finished_at: string | null
  readonly inspection_started_at: string | null
  readonly instance_uuid: string | null
  readonly last_error: string | null
  readonly maintenance: boolean | null
  readonly maintenance_reason: string | null
  readonly fault: string | null
  readonly bios_interface: string | null
  readonly boot_interface: string | null
  readonly console_interface: string | null
  readonly deploy_interface: string | null
  readonly inspect_interface: string | null
  readonly management_interface: string | null
  readonly network_interface: string | null
  readonly power_interface: string | null
  readonly raid_interface: string | null
  readonly rescue_interface: string | null
  readonly storage_interface: string | null
  readonly vendor_interface: string | null
  readonly name: string | null
  readonly owner: string | null
  readonly lessee: string | null
  readonly power_state: string | null
  readonly properties: Readonly<Record<string, unknown>> | null
  readonly protected: boolean | null
  readonly protected_reason: string | null
  readonly provision_state: string | null
  readonly provision_updated_at: string | null
  readonly resource_class: string | null
  readonly retired: boolean | null
  readonly retired_reason: string | null
  readonly target_power_state: string | null
  readonly target_provision_state: string | null
  readonly traits: readonly string[] | null
  readonly updated_at: string | null
  readonly uuid: string
}
/** `NodeSetPowerStatePayload` 1.17 of ironic. */
export interface IronicNodeSetPowerStatePayload extends IronicNodePayload {
  readonly to_power: string | null
}
/** `NodeSetProvisionStatePayload` 1.18 of ironic. */
export interface IronicNodeSetProvisionStatePayload extends IronicNodePayload {
  readonly instance_info: Readonly<Record<string, unknown>> | null
  readonly driver_internal_info: Readonly<Record<string, unknown>> | null
  readonly event: string | null
  readonly previous_provision_state: string | null
  readonly previous_target_provision_state: string | null
}
/** `PortCRUDPayload` 1.8 of ironic. */
export interface IronicPortCRUDPayload {
  readonly address: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly local_link_connection: Readonly<Record<string, unknown>> | null
  readonly pxe_enabled: boolean | null
  readonly node_uuid: string
  readonly portgroup_uuid: string | null
  readonly physical_network: string | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly uuid: string
  readonly is_smartnic: boolean | null
  readonly name: string | null
  readonly description: string | null
  readonly vendor: string | null
  readonly category: string | null
  readonly available_for_dynamic_portgroup: boolean
}
/** `PortgroupCRUDPayload` 1.3 of ironic. */
export interface IronicPortgroupCRUDPayload {
  readonly address: string | null
  readonly category: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly mode: string | null
  readonly name: string | null
  readonly node_uuid: string
  readonly physical_network: string | null
  readonly properties: Readonly<Record<string, unknown>> | null
  readonly standalone_ports_supported: boolean | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly uuid: string
  readonly dynamic_portgroup: boolean | null
}
/** `RunbookCRUDPayload` 1.1 of ironic. */
export interface IronicRunbookCRUDPayload {
  readonly created_at: string | null
  readonly description: string | null
  readonly disable_ramdisk: boolean
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly name: string
  readonly owner: string | null
  readonly public: boolean
  readonly steps: readonly unknown[]
  readonly traits: readonly string[]
  readonly updated_at: string | null
  readonly uuid: string
}
/** `VolumeConnectorCRUDPayload` 1.0 of ironic. */
export interface IronicVolumeConnectorCRUDPayload {
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly type: string | null
  readonly connector_id: string | null
  readonly node_uuid: string
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly uuid: string
}
/** `VolumeTargetCRUDPayload` 1.0 of ironic. */
export interface IronicVolumeTargetCRUDPayload {
  readonly boot_index: number | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly node_uuid: string
  readonly properties: Readonly<Record<string, unknown>> | null
  readonly volume_id: string | null
  readonly volume_type: string | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly uuid: string
}
/** What ironic notifies: event type to payload. */
export interface IronicNotifications {
  readonly 'baremetal.allocation.create.end': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.create.error': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.create.start': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.delete.end': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.delete.error': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.delete.start': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.update.end': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.update.error': IronicAllocationCRUDPayload
  readonly 'baremetal.allocation.update.start': IronicAllocationCRUDPayload
  readonly 'baremetal.chassis.create.end': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.create.error': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.create.start': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.delete.end': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.delete.error': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.delete.start': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.update.end': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.update.error': IronicChassisCRUDPayload
  readonly 'baremetal.chassis.update.start': IronicChassisCRUDPayload
  readonly 'baremetal.deploytemplate.create.end': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.create.error': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.create.start': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.delete.end': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.delete.error': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.delete.start': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.update.end': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.update.error': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.deploytemplate.update.start': IronicDeployTemplateCRUDPayload
  readonly 'baremetal.inspectionrule.create.end': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.create.error': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.create.start': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.delete.end': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.delete.error': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.delete.start': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.update.end': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.update.error': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.inspectionrule.update.start': IronicInspectionRuleCRUDPayload
  readonly 'baremetal.node.console_restore.end': IronicNodePayload
  readonly 'baremetal.node.console_restore.error': IronicNodePayload
  readonly 'baremetal.node.console_restore.start': IronicNodePayload
  readonly 'baremetal.node.console_set.end': IronicNodePayload
  readonly 'baremetal.node.console_set.error': IronicNodePayload
  readonly 'baremetal.node.console_set.start': IronicNodePayload
  readonly 'baremetal.node.create.end': IronicNodeCRUDPayload
  readonly 'baremetal.node.create.error': IronicNodeCRUDPayload
  readonly 'baremetal.node.create.start': IronicNodeCRUDPayload
  readonly 'baremetal.node.delete.end': IronicNodeCRUDPayload
  readonly 'baremetal.node.delete.error': IronicNodeCRUDPayload
  readonly 'baremetal.node.delete.start': IronicNodeCRUDPayload
  readonly 'baremetal.node.maintenance_set.end': IronicNodePayload
  readonly 'baremetal.node.maintenance_set.error': IronicNodePayload
  readonly 'baremetal.node.maintenance_set.start': IronicNodePayload
  readonly 'baremetal.node.power_set.end': IronicNodeSetPowerStatePayload
  readonly 'baremetal.node.power_set.error': IronicNodeSetPowerStatePayload
  readonly 'baremetal.node.power_set.start': IronicNodeSetPowerStatePayload
  readonly 'baremetal.node.power_state_corrected.success': IronicNodeCorrectedPowerStatePayload
  readonly 'baremetal.node.provision_set.end': IronicNodeSetProvisionStatePayload
  readonly 'baremetal.node.provision_set.error': IronicNodeSetProvisionStatePayload
  readonly 'baremetal.node.provision_set.start': IronicNodeSetProvisionStatePayload
  readonly 'baremetal.node.provision_set.success': IronicNodeSetProvisionStatePayload
  readonly 'baremetal.node.update.end': IronicNodeCRUDPayload
  readonly 'baremetal.node.update.error': IronicNodeCRUDPayload
  readonly 'baremetal.node.update.start': IronicNodeCRUDPayload
  readonly 'baremetal.port.create.end': IronicPortCRUDPayload
  readonly 'baremetal.port.create.error': IronicPortCRUDPayload
  readonly 'baremetal.port.create.start': IronicPortCRUDPayload
  readonly 'baremetal.port.delete.end': IronicPortCRUDPayload
  readonly 'baremetal.port.delete.error': IronicPortCRUDPayload
  readonly 'baremetal.port.delete.start': IronicPortCRUDPayload
  readonly 'baremetal.port.update.end': IronicPortCRUDPayload
  readonly 'baremetal.port.update.error': IronicPortCRUDPayload
  readonly 'baremetal.port.update.start': IronicPortCRUDPayload
  readonly 'baremetal.portgroup.create.end': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.create.error': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.create.start': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.delete.end': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.delete.error': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.delete.start': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.update.end': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.update.error': IronicPortgroupCRUDPayload
  readonly 'baremetal.portgroup.update.start': IronicPortgroupCRUDPayload
  readonly 'baremetal.runbook.create.end': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.create.error': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.create.start': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.delete.end': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.delete.error': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.delete.start': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.update.end': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.update.error': IronicRunbookCRUDPayload
  readonly 'baremetal.runbook.update.start': IronicRunbookCRUDPayload
  readonly 'baremetal.volumeconnector.create.end': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.create.error': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.create.start': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.delete.end': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.delete.error': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.delete.start': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.update.end': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.update.error': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumeconnector.update.start': IronicVolumeConnectorCRUDPayload
  readonly 'baremetal.volumetarget.create.end': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.create.error': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.create.start': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.delete.end': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.delete.error': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.delete.start': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.update.end': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.update.error': IronicVolumeTargetCRUDPayload
  readonly 'baremetal.volumetarget.update.start': IronicVolumeTargetCRUDPayload
}
/** The payloads of ironic as data, to check what arrives. */
export const IRONIC: ServiceFacts = {
  service: 'ironic',
  source: 'ironic 39.0.0',
  prefix: 'ironic_object',
  objects: {
    AllocationCRUDPayload: {
      version: '1.1',
      fields: {
        uuid: 'string?',
        name: 'string?',
        node_uuid: 'string?',
        state: 'string?',
        last_error: 'string?',
        owner: 'string?',
        resource_class: 'string?',
        traits: 'string[]?',
        candidate_nodes: 'string[]?',
        extra: '{any}?',
        created_at: 'string?',
        updated_at: 'string?',
      },
    },
    ChassisCRUDPayload: {
      version: '1.0',
      fields: {
        description: 'string?',
        extra: '{any}?',
        created_at: 'string?',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    DeployTemplateCRUDPayload: {
      version: '1.0',
      fields: {
        created_at: 'string?',
        extra: '{any}?',
        name: 'string',
        steps: 'any[]',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    InspectionRuleCRUDPayload: {
      version: '1.0',
      fields: {
        created_at: 'string?',
        description: 'string?',
        phase: 'string?',
        priority: 'integer',
        scope: 'string?',
        sensitive: 'boolean',
        actions: 'any[]',
        conditions: 'any[]?',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    NodeCRUDPayload: {
      version: '1.15',
      base: 'NodePayload',
      fields: {
        chassis_uuid: 'string?',
        instance_info: '{any}?',
        driver_info: '{any}?',
      },
    },
    NodeCorrectedPowerStatePayload: {
      version: '1.17',
      base: 'NodePayload',
      fields: {
        from_power: 'string?',
      },
    },
    NodePayload: {
      version: '1.17',
      fields: {
        clean_step: '{any}?',
        conductor_group: 'string?',
        console_enabled: 'boolean?',
        created_at: 'string?',
        deploy_step: '{any}?',
        description: 'string?',
        disable_power_off: 'boolean?',
        driver: 'string?',
        extra: '{any}?',
        boot_mode: 'string?',
        secure_boot: 'boolean?',
        inspection_finished_at: 'string?',
        inspection_started_at: 'string?',
        instance_uuid: 'string?',
        last_error: 'string?',
        maintenance: 'boolean?',
        maintenance_reason: 'string?',
        fault: 'string?',
        bios_interface: 'string?',
        boot_interface: 'string?',
        console_interface: 'string?',
        deploy_interface: 'string?',
        inspect_interface: 'string?',
        management_interface: 'string?',
        network_interface: 'string?',
        power_interface: 'string?',
        raid_interface: 'string?',
        rescue_interface: 'string?',
        storage_interface: 'string?',
        vendor_interface: 'string?',
        name: 'string?',
        owner: 'string?',
        lessee: 'string?',
        power_state: 'string?',
        properties: '{any}?',
        protected: 'boolean?',
        protected_reason: 'string?',
        provision_state: 'string?',
        provision_updated_at: 'string?',
        resource_class: 'string?',
        retired: 'boolean?',
        retired_reason: 'string?',
        target_power_state: 'string?',
        target_provision_state: 'string?',
        traits: 'string[]?',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    NodeSetPowerStatePayload: {
      version: '1.17',
      base: 'NodePayload',
      fields: {
        to_power: 'string?',
      },
    },
    NodeSetProvisionStatePayload: {
      version: '1.18',
      base: 'NodePayload',
      fields: {
        instance_info: '{any}?',
        driver_internal_info: '{any}?',
        event: 'string?',
        previous_provision_state: 'string?',
        previous_target_provision_state: 'string?',
      },
    },
    PortCRUDPayload: {
      version: '1.8',
      fields: {
        address: 'string?',
        extra: '{any}?',
        local_link_connection: '{any}?',
        pxe_enabled: 'boolean?',
        node_uuid: 'string',
        portgroup_uuid: 'string?',
        physical_network: 'string?',
        created_at: 'string?',
        updated_at: 'string?',
        uuid: 'string',
        is_smartnic: 'boolean?',
        name: 'string?',
        description: 'string?',
        vendor: 'string?',
        category: 'string?',
        available_for_dynamic_portgroup: 'boolean',
      },
    },
    PortgroupCRUDPayload: {
      version: '1.3',
      fields: {
        address: 'string?',
        category: 'string?',
        extra: '{any}?',
        mode: 'string?',
        name: 'string?',
        node_uuid: 'string',
        physical_network: 'string?',
        properties: '{any}?',
        standalone_ports_supported: 'boolean?',
        created_at: 'string?',
        updated_at: 'string?',
        uuid: 'string',
        dynamic_portgroup: 'boolean?',
      },
    },
    RunbookCRUDPayload: {
      version: '1.1',
      fields: {
        created_at: 'string?',
        description: 'string?',
        disable_ramdisk: 'boolean',
        extra: '{any}?',
        name: 'string',
        owner: 'string?',
        public: 'boolean',
        steps: 'any[]',
        traits: 'string[]',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    VolumeConnectorCRUDPayload: {
      version: '1.0',
      fields: {
        extra: '{any}?',
        type: 'string?',
        connector_id: 'string?',
        node_uuid: 'string',
        created_at: 'string?',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
    VolumeTargetCRUDPayload: {
      version: '1.0',
      fields: {
        boot_index: 'integer?',
        extra: '{any}?',
        node_uuid: 'string',
        properties: '{any}?',
        volume_id: 'string?',
        volume_type: 'string?',
        created_at: 'string?',
        updated_at: 'string?',
        uuid: 'string',
      },
    },
  },
  events: {
    'baremetal.allocation.create.end': 'AllocationCRUDPayload',
    'baremetal.allocation.create.error': 'AllocationCRUDPayload',
    'baremetal.allocation.create.start': 'AllocationCRUDPayload',
    'baremetal.allocation.delete.end': 'AllocationCRUDPayload',
    'baremetal.allocation.delete.error': 'AllocationCRUDPayload',
    'baremetal.allocation.delete.start': 'AllocationCRUDPayload',
    'baremetal.allocation.update.end': 'AllocationCRUDPayload',
    'baremetal.allocation.update.error': 'AllocationCRUDPayload',
    'baremetal.allocation.update.start': 'AllocationCRUDPayload',
    'baremetal.chassis.create.end': 'ChassisCRUDPayload',
    'baremetal.chassis.create.error': 'ChassisCRUDPayload',
    'baremetal.chassis.create.start': 'ChassisCRUDPayload',
    'baremetal.chassis.delete.end': 'ChassisCRUDPayload',
    'baremetal.chassis.delete.error': 'ChassisCRUDPayload',
    'baremetal.chassis.delete.start': 'ChassisCRUDPayload',
    'baremetal.chassis.update.end': 'ChassisCRUDPayload',
    'baremetal.chassis.update.error': 'ChassisCRUDPayload',
    'baremetal.chassis.update.start': 'ChassisCRUDPayload',
    'baremetal.deploytemplate.create.end': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.create.error': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.create.start': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.delete.end': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.delete.error': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.delete.start': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.update.end': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.update.error': 'DeployTemplateCRUDPayload',
    'baremetal.deploytemplate.update.start': 'DeployTemplateCRUDPayload',
    'baremetal.inspectionrule.create.end': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.create.error': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.create.start': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.delete.end': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.delete.error': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.delete.start': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.update.end': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.update.error': 'InspectionRuleCRUDPayload',
    'baremetal.inspectionrule.update.start': 'InspectionRuleCRUDPayload',
    'baremetal.node.console_restore.end': 'NodePayload',
    'baremetal.node.console_restore.error': 'NodePayload',
    'baremetal.node.console_restore.start': 'NodePayload',
    'baremetal.node.console_set.end': 'NodePayload',
    'baremetal.node.console_set.error': 'NodePayload',
    'baremetal.node.console_set.start': 'NodePayload',
    'baremetal.node.create.end': 'NodeCRUDPayload',
    'baremetal.node.create.error': 'NodeCRUDPayload',
    'baremetal.node.create.start': 'NodeCRUDPayload',
    'baremetal.node.delete.end': 'NodeCRUDPayload',
    'baremetal.node.delete.error': 'NodeCRUDPayload',
    'baremetal.node.delete.start': 'NodeCRUDPayload',
    'baremetal.node.maintenance_set.end': 'NodePayload',
    'baremetal.node.maintenance_set.error': 'NodePayload',
    'baremetal.node.maintenance_set.start': 'NodePayload',
    'baremetal.node.power_set.end': 'NodeSetPowerStatePayload',
    'baremetal.node.power_set.error': 'NodeSetPowerStatePayload',
    'baremetal.node.power_set.start': 'NodeSetPowerStatePayload',
    'baremetal.node.power_state_corrected.success': 'NodeCorrectedPowerStatePayload',
    'baremetal.node.provision_set.end': 'NodeSetProvisionStatePayload',
    'baremetal.node.provision_set.error': 'NodeSetProvisionStatePayload',
    'baremetal.node.provision_set.start': 'NodeSetProvisionStatePayload',
    'baremetal.node.provision_set.success': 'NodeSetProvisionStatePayload',
    'baremetal.node.update.end': 'NodeCRUDPayload',
    'baremetal.node.update.error': 'NodeCRUDPayload',
    'baremetal.node.update.start': 'NodeCRUDPayload',
    'baremetal.port.create.end': 'PortCRUDPayload',
    'baremetal.port.create.error': 'PortCRUDPayload',
    'baremetal.port.create.start': 'PortCRUDPayload',
    'baremetal.port.delete.end': 'PortCRUDPayload',
    'baremetal.port.delete.error': 'PortCRUDPayload',
    'baremetal.port.delete.start': 'PortCRUDPayload',
    'baremetal.port.update.end': 'PortCRUDPayload',
    'baremetal.port.update.error': 'PortCRUDPayload',
    'baremetal.port.update.start': 'PortCRUDPayload',
    'baremetal.portgroup.create.end': 'PortgroupCRUDPayload',
    'baremetal.portgroup.create.error': 'PortgroupCRUDPayload',
    'baremetal.portgroup.create.start': 'PortgroupCRUDPayload',
    'baremetal.portgroup.delete.end': 'PortgroupCRUDPayload',
    'baremetal.portgroup.delete.error': 'PortgroupCRUDPayload',
    'baremetal.portgroup.delete.start': 'PortgroupCRUDPayload',
    'baremetal.portgroup.update.end': 'PortgroupCRUDPayload',
    'baremetal.portgroup.update.error': 'PortgroupCRUDPayload',
    'baremetal.portgroup.update.start': 'PortgroupCRUDPayload',
    'baremetal.runbook.create.end': 'RunbookCRUDPayload',
    'baremetal.runbook.create.error': 'RunbookCRUDPayload',
    'baremetal.runbook.create.start': 'RunbookCRUDPayload',
    'baremetal.runbook.delete.end': 'RunbookCRUDPayload',
    'baremetal.runbook.delete.error': 'RunbookCRUDPayload',
    'baremetal.runbook.delete.start': 'RunbookCRUDPayload',
    'baremetal.runbook.update.end': 'RunbookCRUDPayload',
    'baremetal.runbook.update.error': 'RunbookCRUDPayload',
    'baremetal.runbook.update.start': 'RunbookCRUDPayload',
    'baremetal.volumeconnector.create.end': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.create.error': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.create.start': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.delete.end': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.delete.error': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.delete.start': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.update.end': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.update.error': 'VolumeConnectorCRUDPayload',
    'baremetal.volumeconnector.update.start': 'VolumeConnectorCRUDPayload',
    'baremetal.volumetarget.create.end': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.create.error': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.create.start': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.delete.end': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.delete.error': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.delete.start': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.update.end': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.update.error': 'VolumeTargetCRUDPayload',
    'baremetal.volumetarget.update.start': 'VolumeTargetCRUDPayload',
  },
}
