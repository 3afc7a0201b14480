/** Made by facts/facts.py from cinder 29.0.0; not edited by hand. */
import type { ServiceFacts } from './kinds.ts'
/** `VolumeUsage` of cinder. */
export interface CinderVolumeUsage {
  readonly tenant_id: string | null
  readonly host: string | null
  readonly user_id: string | null
  readonly availability_zone: string | null
  readonly volume_id: string
  readonly volume_type: string | null
  readonly display_name: string | null
  readonly launched_at: string
  readonly created_at: string
  readonly status: unknown
  readonly snapshot_id: string | null
  readonly size: number | null
  readonly replication_status: string | null
  readonly replication_extended_status: string | null
  readonly replication_driver_data: string | null
  readonly metadata: unknown
  readonly volume_attachment?: unknown
  readonly glance_metadata?: unknown
}
/** `SnapshotUsage` of cinder. */
export interface CinderSnapshotUsage {
  readonly tenant_id: string | null
  readonly user_id: string | null
  readonly availability_zone: unknown
  readonly volume_id: string | null
  readonly volume_size: number | null
  readonly snapshot_id: string
  readonly display_name: string | null
  readonly created_at: string
  readonly status: string | null
  readonly deleted: unknown
  readonly metadata: unknown
}
/** `BackupUsage` of cinder. */
export interface CinderBackupUsage {
  readonly tenant_id: string
  readonly user_id: string
  readonly availability_zone: string | null
  readonly backup_id: string
  readonly host: string | null
  readonly display_name: string | null
  readonly created_at: string
  readonly status: string | null
  readonly volume_id: string
  readonly size: number | null
  readonly service_metadata: string | null
  readonly service: string | null
  readonly fail_reason: string | null
  readonly parent_id: string | null
  readonly num_dependent_backups: unknown
  readonly snapshot_id: string | null
}
/** `GroupUsage` of cinder. */
export interface CinderGroupUsage {
  readonly tenant_id: string
  readonly user_id: string
  readonly availability_zone: string | null
  readonly group_id: string
  readonly group_type: string
  readonly name: string | null
  readonly created_at: string
  readonly status: string | null
}
/** `GroupSnapshotUsage` of cinder. */
export interface CinderGroupSnapshotUsage {
  readonly tenant_id: string | null
  readonly user_id: string | null
  readonly group_snapshot_id: string
  readonly name: string | null
  readonly group_id: string
  readonly group_type: string | null
  readonly created_at: string
  readonly status: string | null
}
/** What cinder notifies: event type to payload. */
export interface CinderNotifications {
  readonly 'backup.create.end': CinderBackupUsage
  readonly 'backup.create.start': CinderBackupUsage
  readonly 'backup.delete.end': CinderBackupUsage
  readonly 'backup.delete.start': CinderBackupUsage
  readonly 'backup.exists': CinderBackupUsage
  readonly 'backup.reset_status.end': CinderBackupUsage
  readonly 'backup.restore.end': CinderBackupUsage
  readonly 'backup.restore.start': CinderBackupUsage
  readonly 'group.create.end': CinderGroupUsage
  readonly 'group.create.start': CinderGroupUsage
  readonly 'group.delete.end': CinderGroupUsage
  readonly 'group.delete.start': CinderGroupUsage
  readonly 'group.disable_replication.end': CinderGroupUsage
  readonly 'group.disable_replication.start': CinderGroupUsage
  readonly 'group.enable_replication.end': CinderGroupUsage
  readonly 'group.enable_replication.start': CinderGroupUsage
  readonly 'group.failover_replication.end': CinderGroupUsage
  readonly 'group.failover_replication.start': CinderGroupUsage
  readonly 'group.update.end': CinderGroupUsage
  readonly 'group.update.start': CinderGroupUsage
  readonly 'group_snapshot.create.end': CinderGroupSnapshotUsage
  readonly 'group_snapshot.create.start': CinderGroupSnapshotUsage
  readonly 'group_snapshot.delete.end': CinderGroupSnapshotUsage
  readonly 'group_snapshot.delete.start': CinderGroupSnapshotUsage
  readonly 'snapshot.create.end': CinderSnapshotUsage
  readonly 'snapshot.create.start': CinderSnapshotUsage
  readonly 'snapshot.delete.end': CinderSnapshotUsage
  readonly 'snapshot.delete.start': CinderSnapshotUsage
  readonly 'snapshot.exists': CinderSnapshotUsage
  readonly 'snapshot.revert.end': CinderSnapshotUsage
  readonly 'snapshot.revert.start': CinderSnapshotUsage
  readonly 'snapshot.update.end': CinderSnapshotUsage
  readonly 'snapshot.update.start': CinderSnapshotUsage
  readonly 'volume.None': CinderVolumeUsage
  readonly 'volume.attach.end': CinderVolumeUsage
  readonly 'volume.attach.start': CinderVolumeUsage
  readonly 'volume.create.end': CinderVolumeUsage
  readonly 'volume.create.start': CinderVolumeUsage
  readonly 'volume.delete.end': CinderVolumeUsage
  readonly 'volume.delete.start': CinderVolumeUsage
  readonly 'volume.detach.end': CinderVolumeUsage
  readonly 'volume.detach.start': CinderVolumeUsage
  readonly 'volume.exists': CinderVolumeUsage
  readonly 'volume.manage_existing.end': CinderVolumeUsage
  readonly 'volume.manage_existing.start': CinderVolumeUsage
  readonly 'volume.resize.end': CinderVolumeUsage
  readonly 'volume.resize.start': CinderVolumeUsage
  readonly 'volume.retype': CinderVolumeUsage
  readonly 'volume.revert.end': CinderVolumeUsage
  readonly 'volume.revert.start': CinderVolumeUsage
  readonly 'volume.transfer.accept.end': CinderVolumeUsage
  readonly 'volume.transfer.accept.start': CinderVolumeUsage
  readonly 'volume.transfer.create.end': CinderVolumeUsage
  readonly 'volume.transfer.create.start': CinderVolumeUsage
  readonly 'volume.transfer.delete.end': CinderVolumeUsage
  readonly 'volume.transfer.delete.start': CinderVolumeUsage
  readonly 'volume.update.end': CinderVolumeUsage
  readonly 'volume.update.start': CinderVolumeUsage
}
/** The payloads of cinder as data, to check what arrives. */
export const CINDER: ServiceFacts = {
  service: 'cinder',
  source: 'cinder 29.0.0',
  prefix: null,
  objects: {
    VolumeUsage: {
      fields: {
        tenant_id: 'string?',
        host: 'string?',
        user_id: 'string?',
        availability_zone: 'string?',
        volume_id: 'string',
        volume_type: 'string?',
        display_name: 'string?',
        launched_at: 'string',
        created_at: 'string',
        status: 'any',
        snapshot_id: 'string?',
        size: 'integer?',
        replication_status: 'string?',
        replication_extended_status: 'string?',
        replication_driver_data: 'string?',
        metadata: 'any',
        volume_attachment: '~any',
        glance_metadata: '~any',
      },
    },
    SnapshotUsage: {
      fields: {
        tenant_id: 'string?',
        user_id: 'string?',
        availability_zone: 'any',
        volume_id: 'string?',
        volume_size: 'integer?',
        snapshot_id: 'string',
        display_name: 'string?',
        created_at: 'string',
        status: 'string?',
        deleted: 'any',
        metadata: 'any',
      },
    },
    BackupUsage: {
      fields: {
        tenant_id: 'string',
        user_id: 'string',
        availability_zone: 'string?',
        backup_id: 'string',
        host: 'string?',
        display_name: 'string?',
        created_at: 'string',
        status: 'string?',
        volume_id: 'string',
        size: 'integer?',
        service_metadata: 'string?',
        service: 'string?',
        fail_reason: 'string?',
        parent_id: 'string?',
        num_dependent_backups: 'any',
        snapshot_id: 'string?',
      },
    },
    GroupUsage: {
      fields: {
        tenant_id: 'string',
        user_id: 'string',
        availability_zone: 'string?',
        group_id: 'string',
        group_type: 'string',
        name: 'string?',
        created_at: 'string',
        status: 'string?',
      },
    },
    GroupSnapshotUsage: {
      fields: {
        tenant_id: 'string?',
        user_id: 'string?',
        group_snapshot_id: 'string',
        name: 'string?',
        group_id: 'string',
        group_type: 'string?',
        created_at: 'string',
        status: 'string?',
      },
    },
  },
  events: {
    'backup.create.end': 'BackupUsage',
    'backup.create.start': 'BackupUsage',
    'backup.delete.end': 'BackupUsage',
    'backup.delete.start': 'BackupUsage',
    'backup.exists': 'BackupUsage',
    'backup.reset_status.end': 'BackupUsage',
    'backup.restore.end': 'BackupUsage',
    'backup.restore.start': 'BackupUsage',
    'group.create.end': 'GroupUsage',
    'group.create.start': 'GroupUsage',
    'group.delete.end': 'GroupUsage',
    'group.delete.start': 'GroupUsage',
    'group.disable_replication.end': 'GroupUsage',
    'group.disable_replication.start': 'GroupUsage',
    'group.enable_replication.end': 'GroupUsage',
    'group.enable_replication.start': 'GroupUsage',
    'group.failover_replication.end': 'GroupUsage',
    'group.failover_replication.start': 'GroupUsage',
    'group.update.end': 'GroupUsage',
    'group.update.start': 'GroupUsage',
    'group_snapshot.create.end': 'GroupSnapshotUsage',
    'group_snapshot.create.start': 'GroupSnapshotUsage',
    'group_snapshot.delete.end': 'GroupSnapshotUsage',
    'group_snapshot.delete.start': 'GroupSnapshotUsage',
    'snapshot.create.end': 'SnapshotUsage',
    'snapshot.create.start': 'SnapshotUsage',
    'snapshot.delete.end': 'SnapshotUsage',
    'snapshot.delete.start': 'SnapshotUsage',
    'snapshot.exists': 'SnapshotUsage',
    'snapshot.revert.end': 'SnapshotUsage',
    'snapshot.revert.start': 'SnapshotUsage',
    'snapshot.update.end': 'SnapshotUsage',
    'snapshot.update.start': 'SnapshotUsage',
    'volume.None': 'VolumeUsage',
    'volume.attach.end': 'VolumeUsage',
    'volume.attach.start': 'VolumeUsage',
    'volume.create.end': 'VolumeUsage',
    'volume.create.start': 'VolumeUsage',
    'volume.delete.end': 'VolumeUsage',
    'volume.delete.start': 'VolumeUsage',
    'volume.detach.end': 'VolumeUsage',
    'volume.detach.start': 'VolumeUsage',
    'volume.exists': 'VolumeUsage',
    'volume.manage_existing.end': 'VolumeUsage',
    'volume.manage_existing.start': 'VolumeUsage',
    'volume.resize.end': 'VolumeUsage',
    'volume.resize.start': 'VolumeUsage',
    'volume.retype': 'VolumeUsage',
    'volume.revert.end': 'VolumeUsage',
    'volume.revert.start': 'VolumeUsage',
    'volume.transfer.accept.end': 'VolumeUsage',
    'volume.transfer.accept.start': 'VolumeUsage',
    'volume.transfer.create.end': 'VolumeUsage',
    'volume.transfer.create.start': 'VolumeUsage',
    'volume.transfer.delete.end': 'VolumeUsage',
    'volume.transfer.delete.start': 'VolumeUsage',
    'volume.update.end': 'VolumeUsage',
    'volume.update.start': 'VolumeUsage',
  },
}
