/** Made by facts/facts.py from nova 34.0.0; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
/** `AggregateCachePayload` 1.0 of nova. */
export interface NovaAggregateCachePayload {
  readonly id: number
  readonly uuid: string
  readonly name: string
  readonly host: string
  readonly images_cached: readonly string[]
  readonly images_failed: readonly string[]
  readonly index: number
  readonly total: number
}
/** `AggregatePayload` 1.1 of nova. */
export interface NovaAggregatePayload {
  readonly id: number | null
  readonly uuid: string
  readonly name: string
  readonly hosts: readonly string[] | null
  readonly metadata: Readonly<Record<string, string>> | null
}
/** `AuditPeriodPayload` 1.0 of nova. */
export interface NovaAuditPeriodPayload {
  readonly audit_period_beginning: string
  readonly audit_period_ending: string
}
/** `BlockDevicePayload` 1.0 of nova. */
export interface NovaBlockDevicePayload {
  readonly device_name: string | null
  readonly boot_index: number | null
  readonly delete_on_termination: boolean
  readonly volume_id: string
  readonly tag: string | null
}
/** `CellMappingPayload` 2.0 of nova. */
export interface NovaCellMappingPayload {
  readonly uuid: string
  readonly name: string | null
  readonly disabled: boolean
}
/** `ComputeTaskPayload` 1.0 of nova. */
export interface NovaComputeTaskPayload {
  readonly instance_uuid: string
  readonly request_spec: NovaRequestSpecPayload | null
  readonly state: string | null
  readonly reason: NovaExceptionPayload
}
/** `DestinationPayload` 1.0 of nova. */
export interface NovaDestinationPayload {
  readonly host: string
  readonly node: string | null
  readonly cell: NovaCellMappingPayload | null
  readonly aggregates: readonly string[] | null
}
/** `ExceptionPayload` 1.1 of nova. */
export interface NovaExceptionPayload {
  readonly module_name: string
  readonly function_name: string
  readonly exception: string
  readonly exception_message: string
  readonly traceback: string
}
/** `FlavorPayload` 1.4 of nova. */
export interface NovaFlavorPayload {
  readonly flavorid: string | null
  readonly memory_mb: number | null
  readonly vcpus: number | null
  readonly root_gb: number | null
  readonly ephemeral_gb: number | null
  readonly name: string
  readonly swap: number
  readonly rxtx_factor: number | null
  readonly vcpu_weight: number | null
  readonly disabled: boolean
  readonly is_public: boolean
  readonly extra_specs: Readonly<Record<string, string>> | null
  readonly projects: readonly string[] | null
  readonly description: string | null
}
/** `ImageMetaPayload` 1.0 of nova. */
export interface NovaImageMetaPayload {
  readonly id: string | null
  readonly name: string | null
  readonly status: string | null
  readonly visibility: string | null
  readonly protected: boolean | null
  readonly checksum: string | null
  readonly owner: string | null
  readonly size: number | null
  readonly virtual_size: number | null
  readonly container_format: string | null
  readonly disk_format: string | null
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly tags: readonly string[] | null
  readonly direct_url: string | null
  readonly min_ram: number | null
  readonly min_disk: number | null
  readonly properties: NovaImageMetaPropsPayload
}
/** `ImageMetaPropsPayload` 1.20 of nova. */
export interface NovaImageMetaPropsPayload {
  readonly hw_architecture?: string
  readonly hw_emulation_architecture?: string
  readonly hw_auto_disk_config?: string
  readonly hw_boot_menu?: boolean
  readonly hw_cdrom_bus?: string
  readonly hw_cpu_cores?: number
  readonly hw_cpu_sockets?: number
  readonly hw_cpu_max_cores?: number
  readonly hw_cpu_max_sockets?: number
  readonly hw_cpu_max_threads?: number
  readonly hw_cpu_policy?: string
  readonly hw_cpu_thread_policy?: string
  readonly hw_cpu_realtime_mask?: string
  readonly hw_cpu_threads?: number
  readonly hw_device_id?: number
  readonly hw_disk_bus?: string
  readonly hw_disk_type?: string
  readonly hw_floppy_bus?: string
  readonly hw_firmware_type?: string
  readonly hw_firmware_stateless?: boolean
  readonly hw_input_bus?: string
  readonly hw_ipxe_boot?: boolean
  readonly hw_locked_memory?: boolean
  readonly hw_machine_type?: string
  readonly hw_mem_encryption?: boolean
  readonly hw_mem_encryption_model?: string
  readonly hw_mem_page_size?: string
  readonly hw_numa_nodes?: number
  readonly hw_numa_cpus?: readonly unknown[]
  readonly hw_numa_mem?: readonly number[]
  readonly hw_pci_numa_affinity_policy?: string
  readonly hw_pointer_model?: string
  readonly hw_pmu?: boolean
  readonly hw_qemu_guest_agent?: boolean
  readonly hw_rescue_bus?: string
  readonly hw_rescue_device?: string
  readonly hw_rng_model?: string
  readonly hw_time_hpet?: boolean
  readonly hw_serial_port_count?: number
  readonly hw_scsi_model?: string
  readonly hw_video_model?: string
  readonly hw_video_ram?: number
  readonly hw_vif_model?: string
  readonly hw_viommu_model?: string
  readonly hw_vm_mode?: string
  readonly hw_watchdog_action?: string
  readonly hw_vif_multiqueue_enabled?: boolean
  readonly hw_tpm_model?: string
  readonly hw_tpm_version?: string
  readonly hw_ephemeral_encryption?: boolean
  readonly hw_ephemeral_encryption_format?: string
  readonly hw_virtio_packed_ring?: boolean
  readonly hw_maxphysaddr_mode?: string
  readonly hw_maxphysaddr_bits?: number
  readonly hw_sound_model?: string
  readonly hw_usb_model?: string
  readonly hw_redirected_usb_ports?: number
  readonly img_bittorrent?: boolean
  readonly img_bdm_v2?: boolean
  readonly img_block_device_mapping?: readonly unknown[]
  readonly img_cache_in_nova?: boolean
  readonly img_compression_level?: number
  readonly img_hv_requested_version?: string
  readonly img_hv_type?: string
  readonly img_config_drive?: string
  readonly img_linked_clone?: boolean
  readonly img_mappings?: readonly unknown[]
  readonly img_owner_id?: string
  readonly img_root_device_name?: string
  readonly img_use_agent?: boolean
  readonly img_version?: number
  readonly img_signature?: string
  readonly img_signature_hash_method?: string
  readonly img_signature_certificate_uuid?: string
  readonly img_signature_key_type?: string
  readonly img_hide_hypervisor_id?: boolean
  readonly os_admin_user?: string
  readonly os_command_line?: string
  readonly os_distro?: string
  readonly os_require_quiesce?: boolean
  readonly os_secure_boot?: string
  readonly os_skip_agent_inject_files_at_boot?: boolean
  readonly os_skip_agent_inject_ssh?: boolean
  readonly os_type?: string
  readonly traits_required?: readonly string[]
}
/** `InstanceActionPayload` 1.9 of nova. */
export interface NovaInstanceActionPayload extends NovaInstancePayload {
  readonly fault: NovaExceptionPayload | null
}
/** `InstanceActionRebuildPayload` 1.10 of nova. */
export interface NovaInstanceActionRebuildPayload extends NovaInstanceActionPayload {
  readonly trusted_image_certificates: readonly string[] | null
}
/** `InstanceActionRescuePayload` 1.4 of nova. */
export interface NovaInstanceActionRescuePayload extends NovaInstanceActionPayload {
  readonly rescue_image_ref: string | null
}
/** `InstanceActionResizePrepPayload` 1.4 of nova. */
export interface NovaInstanceActionResizePrepPayload extends NovaInstanceActionPayload {
  readonly new_flavor: NovaFlavorPayload | null
}
/** `InstanceActionSharePayload` 1.0 of nova. */
export interface NovaInstanceActionSharePayload extends NovaInstanceActionPayload {
  readonly share_id: string
}
/** `InstanceActionSnapshotPayload` 1.10 of nova. */
export interface NovaInstanceActionSnapshotPayload extends NovaInstanceActionPayload {
  readonly snapshot_image_id: string
}
/** `InstanceActionVolumePayload` 1.7 of nova. */
export interface NovaInstanceActionVolumePayload extends NovaInstanceActionPayload {
  readonly volume_id: string
}
/** `InstanceActionVolumeSwapPayload` 1.9 of nova. */
export interface NovaInstanceActionVolumeSwapPayload extends NovaInstanceActionPayload {
  readonly old_volume_id: string
  readonly new_volume_id: string
}
/** `InstanceCreatePayload` 1.13 of nova. */
export interface NovaInstanceCreatePayload extends NovaInstanceActionPayload {
  readonly keypairs: readonly NovaKeypairPayload[]
  readonly tags: readonly string[]
  readonly trusted_image_certificates: readonly string[] | null
  readonly instance_name: string | null
}
/** `InstanceExistsPayload` 2.1 of nova. */
export interface NovaInstanceExistsPayload extends NovaInstancePayload {
  readonly audit_period: NovaAuditPeriodPayload
}
/** `InstanceNUMACellPayload` 1.2 of nova. */
export interface NovaInstanceNUMACellPayload {
  readonly id: number
  readonly cpuset: readonly number[]
  readonly pcpuset: readonly number[]
  readonly cpuset_reserved: readonly number[] | null
  readonly memory: number
  readonly pagesize: number | null
  readonly cpu_topology: NovaVirtCPUTopologyPayload | null
  readonly cpu_pinning_raw: Readonly<Record<string, number>> | null
  readonly cpu_policy: string | null
  readonly cpu_thread_policy: string | null
}
/** `InstanceNUMATopologyPayload` 1.0 of nova. */
export interface NovaInstanceNUMATopologyPayload {
  readonly instance_uuid: string
  readonly cells: readonly NovaInstanceNUMACellPayload[]
  readonly emulator_threads_policy: string | null
}
/** `InstancePCIRequestPayload` 1.1 of nova. */
export interface NovaInstancePCIRequestPayload {
  readonly count: number
  readonly spec: readonly unknown[]
  readonly alias_name: string | null
  readonly request_id: string | null
  readonly numa_policy: string | null
}
/** `InstancePCIRequestsPayload` 1.0 of nova. */
export interface NovaInstancePCIRequestsPayload {
  readonly instance_uuid: string
  readonly requests: readonly NovaInstancePCIRequestPayload[]
}
/** `InstancePayload` 1.9 of nova. */
export interface NovaInstancePayload {
  readonly uuid: string
  readonly user_id: string | null
  readonly tenant_id: string | null
  readonly reservation_id: string | null
  readonly display_name: string | null
  readonly display_description: string | null
  readonly host_name: string | null
  readonly host: string | null
  readonly node: string | null
  readonly os_type: string | null
  readonly architecture: string | null
  readonly availability_zone: string | null
  readonly flavor: NovaFlavorPayload
  readonly image_uuid: string | null
  readonly key_name: string | null
  readonly kernel_id: string | null
  readonly ramdisk_id: string | null
  readonly created_at: string | null
  readonly launched_at: string | null
  readonly terminated_at: string | null
  readonly deleted_at: string | null
  readonly updated_at: string | null
  readonly state: string | null
  readonly power_state: string | null
  readonly task_state: string | null
  readonly progress: number | null
  readonly ip_addresses: readonly NovaIpPayload[]
  readonly block_devices: readonly NovaBlockDevicePayload[] | null
  readonly metadata: Readonly<Record<string, string>>
  readonly locked: boolean
  readonly auto_disk_config: string
  readonly request_id: string | null
  readonly action_initiator_user: string | null
  readonly action_initiator_project: string | null
  readonly locked_reason: string | null
  readonly shares: readonly NovaSharePayload[] | null
}
/** `InstanceStateUpdatePayload` 1.0 of nova. */
export interface NovaInstanceStateUpdatePayload {
  readonly old_state: string | null
  readonly state: string | null
  readonly old_task_state: string | null
  readonly new_task_state: string | null
}
/** `InstanceUpdatePayload` 2.1 of nova. */
export interface NovaInstanceUpdatePayload extends NovaInstancePayload {
  readonly state_update: NovaInstanceStateUpdatePayload
  readonly audit_period: NovaAuditPeriodPayload
  readonly old_display_name: string | null
  readonly tags: readonly string[]
}
/** `IpPayload` 1.0 of nova. */
export interface NovaIpPayload {
  readonly label: string
  readonly mac: string
  readonly meta: Readonly<Record<string, string>>
  readonly port_uuid: string | null
  readonly version: number
  readonly address: string
  readonly device_name: string | null
}
/** `KeypairPayload` 1.0 of nova. */
export interface NovaKeypairPayload {
  readonly user_id: string | null
  readonly name: string
  readonly fingerprint: string | null
  readonly public_key: string | null
  readonly type: string
}
/** `LibvirtErrorPayload` 1.0 of nova. */
export interface NovaLibvirtErrorPayload {
  readonly ip: string
  readonly reason: NovaExceptionPayload
}
/** `MetricPayload` 1.0 of nova. */
export interface NovaMetricPayload {
  readonly name: string
  readonly value: number
  readonly numa_membw_values: Readonly<Record<string, number>> | null
  readonly timestamp: string
  readonly source: string
}
/** `MetricsPayload` 1.0 of nova. */
export interface NovaMetricsPayload {
  readonly host: string
  readonly host_ip: string
  readonly nodename: string
  readonly metrics: readonly NovaMetricPayload[]
}
/** `RequestSpecPayload` 1.1 of nova. */
export interface NovaRequestSpecPayload {
  readonly instance_uuid: string
  readonly project_id: string | null
  readonly user_id: string | null
  readonly availability_zone: string | null
  readonly flavor: NovaFlavorPayload | null
  readonly force_hosts: string | null
  readonly force_nodes: string | null
  readonly ignore_hosts: readonly string[] | null
  readonly image_meta: NovaImageMetaPayload | null
  readonly instance_group: NovaServerGroupPayload | null
  readonly image: NovaImageMetaPayload | null
  readonly numa_topology: NovaInstanceNUMATopologyPayload | null
  readonly pci_requests: NovaInstancePCIRequestsPayload | null
  readonly num_instances: number
  readonly requested_destination: NovaDestinationPayload | null
  readonly retry: NovaSchedulerRetriesPayload | null
  readonly scheduler_hints: Readonly<Record<string, unknown>> | null
  readonly security_groups: readonly string[]
}
/** `SchedulerRetriesPayload` 1.0 of nova. */
export interface NovaSchedulerRetriesPayload {
  readonly num_attempts: number
  readonly hosts: readonly string[]
}
/** `ServerGroupPayload` 1.1 of nova. */
export interface NovaServerGroupPayload {
  readonly uuid: string
  readonly name: string | null
  readonly user_id: string | null
  readonly project_id: string | null
  readonly policies: readonly string[] | null
  readonly members: readonly string[] | null
  readonly hosts: readonly string[] | null
  readonly policy: string | null
  readonly rules: Readonly<Record<string, string>>
}
/** `ServiceStatusPayload` 1.1 of nova. */
export interface NovaServiceStatusPayload {
  readonly host: string | null
  readonly binary: string | null
  readonly topic: string | null
  readonly report_count: number
  readonly disabled: boolean
  readonly disabled_reason: string | null
  readonly availability_zone: string | null
  readonly last_seen_up: string | null
  readonly forced_down: boolean
  readonly version: number
  readonly uuid: string
}
/** `SharePayload` 1.0 of nova. */
export interface NovaSharePayload {
  readonly share_mapping_uuid: string
  readonly share_id: string
  readonly status: string
  readonly tag: string
}
/** `VirtCPUTopologyPayload` 1.0 of nova. */
export interface NovaVirtCPUTopologyPayload {
  readonly sockets: number | null
  readonly cores: number | null
  readonly threads: number | null
}
/** `VolumeUsagePayload` 1.0 of nova. */
export interface NovaVolumeUsagePayload {
  readonly volume_id: string
  readonly project_id: string | null
  readonly user_id: string | null
  readonly availability_zone: string | null
  readonly instance_uuid: string | null
  readonly last_refreshed: string | null
  readonly reads: number
  readonly read_bytes: number
  readonly writes: number
  readonly write_bytes: number
}
/** What nova notifies: event type to payload. */
export interface NovaNotifications {
  readonly 'aggregate.add_host.end': NovaAggregatePayload
  readonly 'aggregate.add_host.start': NovaAggregatePayload
  readonly 'aggregate.cache_images.end': NovaAggregatePayload
  readonly 'aggregate.cache_images.progress': NovaAggregateCachePayload
  readonly 'aggregate.cache_images.start': NovaAggregatePayload
  readonly 'aggregate.create.end': NovaAggregatePayload
  readonly 'aggregate.create.start': NovaAggregatePayload
  readonly 'aggregate.delete.end': NovaAggregatePayload
  readonly 'aggregate.delete.start': NovaAggregatePayload
  readonly 'aggregate.remove_host.end': NovaAggregatePayload
  readonly 'aggregate.remove_host.start': NovaAggregatePayload
  readonly 'aggregate.update_metadata.end': NovaAggregatePayload
  readonly 'aggregate.update_metadata.start': NovaAggregatePayload
  readonly 'aggregate.update_prop.end': NovaAggregatePayload
  readonly 'aggregate.update_prop.start': NovaAggregatePayload
  readonly 'compute.exception': NovaExceptionPayload
  readonly 'compute_task.build_instances.error': NovaComputeTaskPayload
  readonly 'compute_task.migrate_server.error': NovaComputeTaskPayload
  readonly 'compute_task.rebuild_server.error': NovaComputeTaskPayload
  readonly 'flavor.create': NovaFlavorPayload
  readonly 'flavor.delete': NovaFlavorPayload
  readonly 'flavor.update': NovaFlavorPayload
  readonly 'instance.create.end': NovaInstanceCreatePayload
  readonly 'instance.create.error': NovaInstanceCreatePayload
  readonly 'instance.create.start': NovaInstanceCreatePayload
  readonly 'instance.delete.end': NovaInstanceActionPayload
  readonly 'instance.delete.start': NovaInstanceActionPayload
  readonly 'instance.evacuate': NovaInstanceActionPayload
  readonly 'instance.exists': NovaInstanceExistsPayload
  readonly 'instance.interface_attach.end': NovaInstanceActionPayload
  readonly 'instance.interface_attach.error': NovaInstanceActionPayload
  readonly 'instance.interface_attach.start': NovaInstanceActionPayload
  readonly 'instance.interface_detach.end': NovaInstanceActionPayload
  readonly 'instance.interface_detach.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_abort.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_abort.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_force_complete.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_force_complete.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_post.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_post.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_post_dest.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_post_dest.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_pre.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_pre.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_rollback.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_rollback.start': NovaInstanceActionPayload
  readonly 'instance.live_migration_rollback_dest.end': NovaInstanceActionPayload
  readonly 'instance.live_migration_rollback_dest.start': NovaInstanceActionPayload
  readonly 'instance.lock': NovaInstanceActionPayload
  readonly 'instance.pause.end': NovaInstanceActionPayload
  readonly 'instance.pause.start': NovaInstanceActionPayload
  readonly 'instance.power_off.end': NovaInstanceActionPayload
  readonly 'instance.power_off.start': NovaInstanceActionPayload
  readonly 'instance.power_on.end': NovaInstanceActionPayload
  readonly 'instance.power_on.start': NovaInstanceActionPayload
  readonly 'instance.reboot.end': NovaInstanceActionPayload
  readonly 'instance.reboot.error': NovaInstanceActionPayload
  readonly 'instance.reboot.start': NovaInstanceActionPayload
  readonly 'instance.rebuild.end': NovaInstanceActionRebuildPayload
  readonly 'instance.rebuild.error': NovaInstanceActionRebuildPayload
  readonly 'instance.rebuild.start': NovaInstanceActionRebuildPayload
  readonly 'instance.rebuild_scheduled': NovaInstanceActionRebuildPayload
  readonly 'instance.rescue.end': NovaInstanceActionRescuePayload
  readonly 'instance.rescue.start': NovaInstanceActionRescuePayload
  readonly 'instance.resize.end': NovaInstanceActionPayload
  readonly 'instance.resize.error': NovaInstanceActionPayload
  readonly 'instance.resize.start': NovaInstanceActionPayload
  readonly 'instance.resize_confirm.end': NovaInstanceActionPayload
  readonly 'instance.resize_confirm.start': NovaInstanceActionPayload
  readonly 'instance.resize_finish.end': NovaInstanceActionPayload
  readonly 'instance.resize_finish.start': NovaInstanceActionPayload
  readonly 'instance.resize_prep.end': NovaInstanceActionResizePrepPayload
  readonly 'instance.resize_prep.start': NovaInstanceActionResizePrepPayload
  readonly 'instance.resize_revert.end': NovaInstanceActionPayload
  readonly 'instance.resize_revert.start': NovaInstanceActionPayload
  readonly 'instance.restore.end': NovaInstanceActionPayload
  readonly 'instance.restore.start': NovaInstanceActionPayload
  readonly 'instance.resume.end': NovaInstanceActionPayload
  readonly 'instance.resume.start': NovaInstanceActionPayload
  readonly 'instance.share_attach.end': NovaInstanceActionSharePayload
  readonly 'instance.share_attach.error': NovaInstanceActionSharePayload
  readonly 'instance.share_attach.start': NovaInstanceActionSharePayload
  readonly 'instance.share_detach.end': NovaInstanceActionSharePayload
  readonly 'instance.share_detach.error': NovaInstanceActionSharePayload
  readonly 'instance.share_detach.start': NovaInstanceActionSharePayload
  readonly 'instance.shelve.end': NovaInstanceActionPayload
  readonly 'instance.shelve.start': NovaInstanceActionPayload
  readonly 'instance.shelve_offload.end': NovaInstanceActionPayload
  readonly 'instance.shelve_offload.start': NovaInstanceActionPayload
  readonly 'instance.shutdown.end': NovaInstanceActionPayload
  readonly 'instance.shutdown.start': NovaInstanceActionPayload
  readonly 'instance.snapshot.end': NovaInstanceActionSnapshotPayload
  readonly 'instance.snapshot.start': NovaInstanceActionSnapshotPayload
  readonly 'instance.soft_delete.end': NovaInstanceActionPayload
  readonly 'instance.soft_delete.start': NovaInstanceActionPayload
  readonly 'instance.suspend.end': NovaInstanceActionPayload
  readonly 'instance.suspend.start': NovaInstanceActionPayload
  readonly 'instance.trigger_crash_dump.end': NovaInstanceActionPayload
  readonly 'instance.trigger_crash_dump.start': NovaInstanceActionPayload
  readonly 'instance.unlock': NovaInstanceActionPayload
  readonly 'instance.unpause.end': NovaInstanceActionPayload
  readonly 'instance.unpause.start': NovaInstanceActionPayload
  readonly 'instance.unrescue.end': NovaInstanceActionPayload
  readonly 'instance.unrescue.start': NovaInstanceActionPayload
  readonly 'instance.unshelve.end': NovaInstanceActionPayload
  readonly 'instance.unshelve.start': NovaInstanceActionPayload
  readonly 'instance.update': NovaInstanceUpdatePayload
  readonly 'instance.volume_attach.end': NovaInstanceActionVolumePayload
  readonly 'instance.volume_attach.error': NovaInstanceActionVolumePayload
  readonly 'instance.volume_attach.start': NovaInstanceActionVolumePayload
  readonly 'instance.volume_detach.end': NovaInstanceActionVolumePayload
  readonly 'instance.volume_detach.start': NovaInstanceActionVolumePayload
  readonly 'instance.volume_swap.end': NovaInstanceActionVolumeSwapPayload
  readonly 'instance.volume_swap.error': NovaInstanceActionVolumeSwapPayload
  readonly 'instance.volume_swap.start': NovaInstanceActionVolumeSwapPayload
  readonly 'keypair.create.end': NovaKeypairPayload
  readonly 'keypair.create.start': NovaKeypairPayload
  readonly 'keypair.delete.end': NovaKeypairPayload
  readonly 'keypair.delete.start': NovaKeypairPayload
  readonly 'keypair.import.end': NovaKeypairPayload
  readonly 'keypair.import.start': NovaKeypairPayload
  readonly 'libvirt.connect.error': NovaLibvirtErrorPayload
  readonly 'metrics.update': NovaMetricsPayload
  readonly 'scheduler.select_destinations.end': NovaRequestSpecPayload
  readonly 'scheduler.select_destinations.start': NovaRequestSpecPayload
  readonly 'server_group.add_member': NovaServerGroupPayload
  readonly 'server_group.create': NovaServerGroupPayload
  readonly 'server_group.delete': NovaServerGroupPayload
  readonly 'service.create': NovaServiceStatusPayload
  readonly 'service.delete': NovaServiceStatusPayload
  readonly 'service.update': NovaServiceStatusPayload
  readonly 'volume.usage': NovaVolumeUsagePayload
}
/** The payloads of nova as data, to check what arrives. */
export const NOVA: ServiceFacts = {
  service: 'nova',
  source: 'nova 34.0.0',
  prefix: 'nova_object',
  objects: {
    AggregateCachePayload: {
      version: '1.0',
      fields: {
        id: 'integer',
        uuid: 'string',
        name: 'string',
        host: 'string',
        images_cached: 'string[]',
        images_failed: 'string[]',
        index: 'integer',
        total: 'integer',
      },
    },
    AggregatePayload: {
      version: '1.1',
      fields: {
        id: 'integer?',
        uuid: 'string',
        name: 'string',
        hosts: 'string[]?',
        metadata: '{string}?',
      },
    },
    AuditPeriodPayload: {
      version: '1.0',
      fields: {
        audit_period_beginning: 'string',
        audit_period_ending: 'string',
      },
    },
    BlockDevicePayload: {
      version: '1.0',
      fields: {
        device_name: 'string?',
        boot_index: 'integer?',
        delete_on_termination: 'boolean',
        volume_id: 'string',
        tag: 'string?',
      },
    },
    CellMappingPayload: {
      version: '2.0',
      fields: {
        uuid: 'string',
        name: 'string?',
        disabled: 'boolean',
      },
    },
    ComputeTaskPayload: {
      version: '1.0',
      fields: {
        instance_uuid: 'string',
        request_spec: '@RequestSpecPayload?',
        state: 'string?',
        reason: '@ExceptionPayload',
      },
    },
    DestinationPayload: {
      version: '1.0',
      fields: {
        host: 'string',
        node: 'string?',
        cell: '@CellMappingPayload?',
        aggregates: 'string[]?',
      },
    },
    ExceptionPayload: {
      version: '1.1',
      fields: {
        module_name: 'string',
        function_name: 'string',
        exception: 'string',
        exception_message: 'string',
        traceback: 'string',
      },
    },
    FlavorPayload: {
      version: '1.4',
      fields: {
        flavorid: 'string?',
        memory_mb: 'integer?',
        vcpus: 'integer?',
        root_gb: 'integer?',
        ephemeral_gb: 'integer?',
        name: 'string',
        swap: 'integer',
        rxtx_factor: 'float?',
        vcpu_weight: 'integer?',
        disabled: 'boolean',
        is_public: 'boolean',
        extra_specs: '{string}?',
        projects: 'string[]?',
        description: 'string?',
      },
    },
    ImageMetaPayload: {
      version: '1.0',
      fields: {
        id: 'string?',
        name: 'string?',
        status: 'string?',
        visibility: 'string?',
        protected: 'boolean?',
        checksum: 'string?',
        owner: 'string?',
        size: 'integer?',
        virtual_size: 'integer?',
        container_format: 'string?',
        disk_format: 'string?',
        created_at: 'string?',
        updated_at: 'string?',
        tags: 'string[]?',
        direct_url: 'string?',
        min_ram: 'integer?',
        min_disk: 'integer?',
        properties: '@ImageMetaPropsPayload',
      },
    },
    ImageMetaPropsPayload: {
      version: '1.20',
      fields: {
        hw_architecture: '~string',
        hw_emulation_architecture: '~string',
        hw_auto_disk_config: '~string',
        hw_boot_menu: '~boolean',
        hw_cdrom_bus: '~string',
        hw_cpu_cores: '~integer',
        hw_cpu_sockets: '~integer',
        hw_cpu_max_cores: '~integer',
        hw_cpu_max_sockets: '~integer',
        hw_cpu_max_threads: '~integer',
        hw_cpu_policy: '~string',
        hw_cpu_thread_policy: '~string',
        hw_cpu_realtime_mask: '~string',
        hw_cpu_threads: '~integer',
        hw_device_id: '~integer',
        hw_disk_bus: '~string',
        hw_disk_type: '~string',
        hw_floppy_bus: '~string',
        hw_firmware_type: '~string',
        hw_firmware_stateless: '~boolean',
        hw_input_bus: '~string',
        hw_ipxe_boot: '~boolean',
        hw_locked_memory: '~boolean',
        hw_machine_type: '~string',
        hw_mem_encryption: '~boolean',
        hw_mem_encryption_model: '~string',
        hw_mem_page_size: '~string',
        hw_numa_nodes: '~integer',
        hw_numa_cpus: '~any[]',
        hw_numa_mem: '~integer[]',
        hw_pci_numa_affinity_policy: '~string',
        hw_pointer_model: '~string',
        hw_pmu: '~boolean',
        hw_qemu_guest_agent: '~boolean',
        hw_rescue_bus: '~string',
        hw_rescue_device: '~string',
        hw_rng_model: '~string',
        hw_time_hpet: '~boolean',
        hw_serial_port_count: '~integer',
        hw_scsi_model: '~string',
        hw_video_model: '~string',
        hw_video_ram: '~integer',
        hw_vif_model: '~string',
        hw_viommu_model: '~string',
        hw_vm_mode: '~string',
        hw_watchdog_action: '~string',
        hw_vif_multiqueue_enabled: '~boolean',
        hw_tpm_model: '~string',
        hw_tpm_version: '~string',
        hw_ephemeral_encryption: '~boolean',
        hw_ephemeral_encryption_format: '~string',
        hw_virtio_packed_ring: '~boolean',
        hw_maxphysaddr_mode: '~string',
        hw_maxphysaddr_bits: '~integer',
        hw_sound_model: '~string',
        hw_usb_model: '~string',
        hw_redirected_usb_ports: '~integer',
        img_bittorrent: '~boolean',
        img_bdm_v2: '~boolean',
        img_block_device_mapping: '~any[]',
        img_cache_in_nova: '~boolean',
        img_compression_level: '~integer',
        img_hv_requested_version: '~string',
        img_hv_type: '~string',
        img_config_drive: '~string',
        img_linked_clone: '~boolean',
        img_mappings: '~any[]',
        img_owner_id: '~string',
        img_root_device_name: '~string',
        img_use_agent: '~boolean',
        img_version: '~integer',
        img_signature: '~string',
        img_signature_hash_method: '~string',
        img_signature_certificate_uuid: '~string',
        img_signature_key_type: '~string',
        img_hide_hypervisor_id: '~boolean',
        os_admin_user: '~string',
        os_command_line: '~string',
        os_distro: '~string',
        os_require_quiesce: '~boolean',
        os_secure_boot: '~string',
        os_skip_agent_inject_files_at_boot: '~boolean',
        os_skip_agent_inject_ssh: '~boolean',
        os_type: '~string',
        traits_required: '~string[]',
      },
    },
    InstanceActionPayload: {
      version: '1.9',
      base: 'InstancePayload',
      fields: {
        fault: '@ExceptionPayload?',
      },
    },
    InstanceActionRebuildPayload: {
      version: '1.10',
      base: 'InstanceActionPayload',
      fields: {
        trusted_image_certificates: 'string[]?',
      },
    },
    InstanceActionRescuePayload: {
      version: '1.4',
      base: 'InstanceActionPayload',
      fields: {
        rescue_image_ref: 'string?',
      },
    },
    InstanceActionResizePrepPayload: {
      version: '1.4',
      base: 'InstanceActionPayload',
      fields: {
        new_flavor: '@FlavorPayload?',
      },
    },
    InstanceActionSharePayload: {
      version: '1.0',
      base: 'InstanceActionPayload',
      fields: {
        share_id: 'string',
      },
    },
    InstanceActionSnapshotPayload: {
      version: '1.10',
      base: 'InstanceActionPayload',
      fields: {
        snapshot_image_id: 'string',
      },
    },
    InstanceActionVolumePayload: {
      version: '1.7',
      base: 'InstanceActionPayload',
      fields: {
        volume_id: 'string',
      },
    },
    InstanceActionVolumeSwapPayload: {
      version: '1.9',
      base: 'InstanceActionPayload',
      fields: {
        old_volume_id: 'string',
        new_volume_id: 'string',
      },
    },
    InstanceCreatePayload: {
      version: '1.13',
      base: 'InstanceActionPayload',
      fields: {
        keypairs: '@KeypairPayload[]',
        tags: 'string[]',
        trusted_image_certificates: 'string[]?',
        instance_name: 'string?',
      },
    },
    InstanceExistsPayload: {
      version: '2.1',
      base: 'InstancePayload',
      fields: {
        audit_period: '@AuditPeriodPayload',
      },
    },
    InstanceNUMACellPayload: {
      version: '1.2',
      fields: {
        id: 'integer',
        cpuset: 'integer[]',
        pcpuset: 'integer[]',
        cpuset_reserved: 'integer[]?',
        memory: 'integer',
        pagesize: 'integer?',
        cpu_topology: '@VirtCPUTopologyPayload?',
        cpu_pinning_raw: '{integer}?',
        cpu_policy: 'string?',
        cpu_thread_policy: 'string?',
      },
    },
    InstanceNUMATopologyPayload: {
      version: '1.0',
      fields: {
        instance_uuid: 'string',
        cells: '@InstanceNUMACellPayload[]',
        emulator_threads_policy: 'string?',
      },
    },
    InstancePCIRequestPayload: {
      version: '1.1',
      fields: {
        count: 'integer',
        spec: 'any[]',
        alias_name: 'string?',
        request_id: 'string?',
        numa_policy: 'string?',
      },
    },
    InstancePCIRequestsPayload: {
      version: '1.0',
      fields: {
        instance_uuid: 'string',
        requests: '@InstancePCIRequestPayload[]',
      },
    },
    InstancePayload: {
      version: '1.9',
      fields: {
        uuid: 'string',
        user_id: 'string?',
        tenant_id: 'string?',
        reservation_id: 'string?',
        display_name: 'string?',
        display_description: 'string?',
        host_name: 'string?',
        host: 'string?',
        node: 'string?',
        os_type: 'string?',
        architecture: 'string?',
        availability_zone: 'string?',
        flavor: '@FlavorPayload',
        image_uuid: 'string?',
        key_name: 'string?',
        kernel_id: 'string?',
        ramdisk_id: 'string?',
        created_at: 'string?',
        launched_at: 'string?',
        terminated_at: 'string?',
        deleted_at: 'string?',
        updated_at: 'string?',
        state: 'string?',
        power_state: 'string?',
        task_state: 'string?',
        progress: 'integer?',
        ip_addresses: '@IpPayload[]',
        block_devices: '@BlockDevicePayload[]?',
        metadata: '{string}',
        locked: 'boolean',
        auto_disk_config: 'string',
        request_id: 'string?',
        action_initiator_user: 'string?',
        action_initiator_project: 'string?',
        locked_reason: 'string?',
        shares: '@SharePayload[]?',
      },
    },
    InstanceStateUpdatePayload: {
      version: '1.0',
      fields: {
        old_state: 'string?',
        state: 'string?',
        old_task_state: 'string?',
        new_task_state: 'string?',
      },
    },
    InstanceUpdatePayload: {
      version: '2.1',
      base: 'InstancePayload',
      fields: {
        state_update: '@InstanceStateUpdatePayload',
        audit_period: '@AuditPeriodPayload',
        old_display_name: 'string?',
        tags: 'string[]',
      },
    },
    IpPayload: {
      version: '1.0',
      fields: {
        label: 'string',
        mac: 'string',
        meta: '{string}',
        port_uuid: 'string?',
        version: 'integer',
        address: 'string',
        device_name: 'string?',
      },
    },
    KeypairPayload: {
      version: '1.0',
      fields: {
        user_id: 'string?',
        name: 'string',
        fingerprint: 'string?',
        public_key: 'string?',
        type: 'string',
      },
    },
    LibvirtErrorPayload: {
      version: '1.0',
      fields: {
        ip: 'string',
        reason: '@ExceptionPayload',
      },
    },
    MetricPayload: {
      version: '1.0',
      fields: {
        name: 'string',
        value: 'integer',
        numa_membw_values: '{integer}?',
        timestamp: 'string',
        source: 'string',
      },
    },
    MetricsPayload: {
      version: '1.0',
      fields: {
        host: 'string',
        host_ip: 'string',
        nodename: 'string',
        metrics: '@MetricPayload[]',
      },
    },
    RequestSpecPayload: {
      version: '1.1',
      fields: {
        instance_uuid: 'string',
        project_id: 'string?',
        user_id: 'string?',
        availability_zone: 'string?',
        flavor: '@FlavorPayload?',
        force_hosts: 'string?',
        force_nodes: 'string?',
        ignore_hosts: 'string[]?',
        image_meta: '@ImageMetaPayload?',
        instance_group: '@ServerGroupPayload?',
        image: '@ImageMetaPayload?',
        numa_topology: '@InstanceNUMATopologyPayload?',
        pci_requests: '@InstancePCIRequestsPayload?',
        num_instances: 'integer',
        requested_destination: '@DestinationPayload?',
        retry: '@SchedulerRetriesPayload?',
        scheduler_hints: '{any}?',
        security_groups: 'string[]',
      },
    },
    SchedulerRetriesPayload: {
      version: '1.0',
      fields: {
        num_attempts: 'integer',
        hosts: 'string[]',
      },
    },
    ServerGroupPayload: {
      version: '1.1',
      fields: {
        uuid: 'string',
        name: 'string?',
        user_id: 'string?',
        project_id: 'string?',
        policies: 'string[]?',
        members: 'string[]?',
        hosts: 'string[]?',
        policy: 'string?',
        rules: '{string}',
      },
    },
    ServiceStatusPayload: {
      version: '1.1',
      fields: {
        host: 'string?',
        binary: 'string?',
        topic: 'string?',
        report_count: 'integer',
        disabled: 'boolean',
        disabled_reason: 'string?',
        availability_zone: 'string?',
        last_seen_up: 'string?',
        forced_down: 'boolean',
        version: 'integer',
        uuid: 'string',
      },
    },
    SharePayload: {
      version: '1.0',
      fields: {
        share_mapping_uuid: 'string',
        share_id: 'string',
        status: 'string',
        tag: 'string',
      },
    },
    VirtCPUTopologyPayload: {
      version: '1.0',
      fields: {
        sockets: 'integer?',
        cores: 'integer?',
        threads: 'integer?',
      },
    },
    VolumeUsagePayload: {
      version: '1.0',
      fields: {
        volume_id: 'string',
        project_id: 'string?',
        user_id: 'string?',
        availability_zone: 'string?',
        instance_uuid: 'string?',
        last_refreshed: 'string?',
        reads: 'integer',
        read_bytes: 'integer',
        writes: 'integer',
        write_bytes: 'integer',
      },
    },
  },
  events: {
    'aggregate.add_host.end': 'AggregatePayload',
    'aggregate.add_host.start': 'AggregatePayload',
    'aggregate.cache_images.end': 'AggregatePayload',
    'aggregate.cache_images.progress': 'AggregateCachePayload',
    'aggregate.cache_images.start': 'AggregatePayload',
    'aggregate.create.end': 'AggregatePayload',
    'aggregate.create.start': 'AggregatePayload',
    'aggregate.delete.end': 'AggregatePayload',
    'aggregate.delete.start': 'AggregatePayload',
    'aggregate.remove_host.end': 'AggregatePayload',
    'aggregate.remove_host.start': 'AggregatePayload',
    'aggregate.update_metadata.end': 'AggregatePayload',
    'aggregate.update_metadata.start': 'AggregatePayload',
    'aggregate.update_prop.end': 'AggregatePayload',
    'aggregate.update_prop.start': 'AggregatePayload',
    'compute.exception': 'ExceptionPayload',
    'compute_task.build_instances.error': 'ComputeTaskPayload',
    'compute_task.migrate_server.error': 'ComputeTaskPayload',
    'compute_task.rebuild_server.error': 'ComputeTaskPayload',
    'flavor.create': 'FlavorPayload',
    'flavor.delete': 'FlavorPayload',
    'flavor.update': 'FlavorPayload',
    'instance.create.end': 'InstanceCreatePayload',
    'instance.create.error': 'InstanceCreatePayload',
    'instance.create.start': 'InstanceCreatePayload',
    'instance.delete.end': 'InstanceActionPayload',
    'instance.delete.start': 'InstanceActionPayload',
    'instance.evacuate': 'InstanceActionPayload',
    'instance.exists': 'InstanceExistsPayload',
    'instance.interface_attach.end': 'InstanceActionPayload',
    'instance.interface_attach.error': 'InstanceActionPayload',
    'instance.interface_attach.start': 'InstanceActionPayload',
    'instance.interface_detach.end': 'InstanceActionPayload',
    'instance.interface_detach.start': 'InstanceActionPayload',
    'instance.live_migration_abort.end': 'InstanceActionPayload',
    'instance.live_migration_abort.start': 'InstanceActionPayload',
    'instance.live_migration_force_complete.end': 'InstanceActionPayload',
    'instance.live_migration_force_complete.start': 'InstanceActionPayload',
    'instance.live_migration_post.end': 'InstanceActionPayload',
    'instance.live_migration_post.start': 'InstanceActionPayload',
    'instance.live_migration_post_dest.end': 'InstanceActionPayload',
    'instance.live_migration_post_dest.start': 'InstanceActionPayload',
    'instance.live_migration_pre.end': 'InstanceActionPayload',
    'instance.live_migration_pre.start': 'InstanceActionPayload',
    'instance.live_migration_rollback.end': 'InstanceActionPayload',
    'instance.live_migration_rollback.start': 'InstanceActionPayload',
    'instance.live_migration_rollback_dest.end': 'InstanceActionPayload',
    'instance.live_migration_rollback_dest.start': 'InstanceActionPayload',
    'instance.lock': 'InstanceActionPayload',
    'instance.pause.end': 'InstanceActionPayload',
    'instance.pause.start': 'InstanceActionPayload',
    'instance.power_off.end': 'InstanceActionPayload',
    'instance.power_off.start': 'InstanceActionPayload',
    'instance.power_on.end': 'InstanceActionPayload',
    'instance.power_on.start': 'InstanceActionPayload',
    'instance.reboot.end': 'InstanceActionPayload',
    'instance.reboot.error': 'InstanceActionPayload',
    'instance.reboot.start': 'InstanceActionPayload',
    'instance.rebuild.end': 'InstanceActionRebuildPayload',
    'instance.rebuild.error': 'InstanceActionRebuildPayload',
    'instance.rebuild.start': 'InstanceActionRebuildPayload',
    'instance.rebuild_scheduled': 'InstanceActionRebuildPayload',
    'instance.rescue.end': 'InstanceActionRescuePayload',
    'instance.rescue.start': 'InstanceActionRescuePayload',
    'instance.resize.end': 'InstanceActionPayload',
    'instance.resize.error': 'InstanceActionPayload',
    'instance.resize.start': 'InstanceActionPayload',
    'instance.resize_confirm.end': 'InstanceActionPayload',
    'instance.resize_confirm.start': 'InstanceActionPayload',
    'instance.resize_finish.end': 'InstanceActionPayload',
    'instance.resize_finish.start': 'InstanceActionPayload',
    'instance.resize_prep.end': 'InstanceActionResizePrepPayload',
    'instance.resize_prep.start': 'InstanceActionResizePrepPayload',
    'instance.resize_revert.end': 'InstanceActionPayload',
    'instance.resize_revert.start': 'InstanceActionPayload',
    'instance.restore.end': 'InstanceActionPayload',
    'instance.restore.start': 'InstanceActionPayload',
    'instance.resume.end': 'InstanceActionPayload',
    'instance.resume.start': 'InstanceActionPayload',
    'instance.share_attach.end': 'InstanceActionSharePayload',
    'instance.share_attach.error': 'InstanceActionSharePayload',
    'instance.share_attach.start': 'InstanceActionSharePayload',
    'instance.share_detach.end': 'InstanceActionSharePayload',
    'instance.share_detach.error': 'InstanceActionSharePayload',
    'instance.share_detach.start': 'InstanceActionSharePayload',
    'instance.shelve.end': 'InstanceActionPayload',
    'instance.shelve.start': 'InstanceActionPayload',
    'instance.shelve_offload.end': 'InstanceActionPayload',
    'instance.shelve_offload.start': 'InstanceActionPayload',
    'instance.shutdown.end': 'InstanceActionPayload',
    'instance.shutdown.start': 'InstanceActionPayload',
    'instance.snapshot.end': 'InstanceActionSnapshotPayload',
    'instance.snapshot.start': 'InstanceActionSnapshotPayload',
    'instance.soft_delete.end': 'InstanceActionPayload',
    'instance.soft_delete.start': 'InstanceActionPayload',
    'instance.suspend.end': 'InstanceActionPayload',
    'instance.suspend.start': 'InstanceActionPayload',
    'instance.trigger_crash_dump.end': 'InstanceActionPayload',
    'instance.trigger_crash_dump.start': 'InstanceActionPayload',
    'instance.unlock': 'InstanceActionPayload',
    'instance.unpause.end': 'InstanceActionPayload',
    'instance.unpause.start': 'InstanceActionPayload',
    'instance.unrescue.end': 'InstanceActionPayload',
    'instance.unrescue.start': 'InstanceActionPayload',
    'instance.unshelve.end': 'InstanceActionPayload',
    'instance.unshelve.start': 'InstanceActionPayload',
    'instance.update': 'InstanceUpdatePayload',
    'instance.volume_attach.end': 'InstanceActionVolumePayload',
    'instance.volume_attach.error': 'InstanceActionVolumePayload',
    'instance.volume_attach.start': 'InstanceActionVolumePayload',
    'instance.volume_detach.end': 'InstanceActionVolumePayload',
    'instance.volume_detach.start': 'InstanceActionVolumePayload',
    'instance.volume_swap.end': 'InstanceActionVolumeSwapPayload',
    'instance.volume_swap.error': 'InstanceActionVolumeSwapPayload',
    'instance.volume_swap.start': 'InstanceActionVolumeSwapPayload',
    'keypair.create.end': 'KeypairPayload',
    'keypair.create.start': 'KeypairPayload',
    'keypair.delete.end': 'KeypairPayload',
    'keypair.delete.start': 'KeypairPayload',
    'keypair.import.end': 'KeypairPayload',
    'keypair.import.start': 'KeypairPayload',
    'libvirt.connect.error': 'LibvirtErrorPayload',
    'metrics.update': 'MetricsPayload',
    'scheduler.select_destinations.end': 'RequestSpecPayload',
    'scheduler.select_destinations.start': 'RequestSpecPayload',
    'server_group.add_member': 'ServerGroupPayload',
    'server_group.create': 'ServerGroupPayload',
    'server_group.delete': 'ServerGroupPayload',
    'service.create': 'ServiceStatusPayload',
    'service.delete': 'ServiceStatusPayload',
    'service.update': 'ServiceStatusPayload',
    'volume.usage': 'VolumeUsagePayload',
  },
}
