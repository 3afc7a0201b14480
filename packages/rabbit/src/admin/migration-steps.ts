import type { MigrationStep } from '@oslo-messaging/core/driver'

/** Where services meet. */
export interface Place {
  /** `host:port`, sorted, with commas. */
  readonly hosts: string
  readonly virtualHost: string
}

/** For what only one process uses. */
export function rollingSteps(): readonly MigrationStep[] {
  return [
    {
      title: 'Restart',
      what: 'Give the new configuration to one service after the other.',
      commands: [],
      until: 'each service is healthy again before the next one is restarted',
    },
  ]
}

/** A new place, both read, senders change, the old one is drained, then switched off: at each moment every message
 *  has a reader. */
export function moveSteps(before: Place, after: Place): readonly MigrationStep[] {
  const isSamePlace = before.hosts === after.hosts && before.virtualHost === after.virtualHost
  const next = isSamePlace ? (before.virtualHost === '/' ? 'next' : `${before.virtualHost}-next`) : after.virtualHost
  const [old, fresh] = [quoted(before.virtualHost), quoted(next)]
  return [
    {
      title: 'Make the new place',
      what: `${isSamePlace ? `The same names cannot be declared twice at ${before.virtualHost}: ` : ''}make the virtual host ${next}, with the users, permissions and policies of ${before.virtualHost}, and let transport_url of the new configuration name it.`,
      commands: [
        ...(before.hosts === after.hosts
          ? [`rabbitmqctl list_permissions -p ${old}`, `rabbitmqctl list_policies -p ${old}`]
          : []),
        `rabbitmqctl add_vhost ${fresh}`,
        `rabbitmqctl set_permissions -p ${fresh} USER '.*' '.*' '.*'`,
      ],
      until: 'a service that is started with the new configuration is healthy',
    },
    {
      title: 'Read both',
      what: 'Start every RPC server and every notification listener a second time, with the new configuration, beside the old ones: as further processes, or in one process over two transports. Pools as well. Each message is at one place only, so none is handled twice for that.',
      commands: ['oslo-msg queues --config-file NEW.conf'],
      until: 'at the new place each topic, each server and each pool has as many consumers as at the old one',
    },
    {
      title: 'Switch the senders',
      what: 'Give the new configuration to clients and notifiers, one service after the other. Calls under way end at the old place. What one sender sent before and after its own switch may be handled out of order.',
      commands: [],
      until: 'nothing is published at the old place any more, and no client of it waits for a reply',
    },
    {
      title: 'Drain the old place',
      what: 'Let the old readers work off what is left; return dead letters, or move them by hand where nobody reads them.',
      commands: ['oslo-msg queues --config-file OLD.conf', 'oslo-msg redrive QUEUE --config-file OLD.conf'],
      until: 'every queue of the old place holds 0 messages, those that end in .dead and .retry as well',
    },
    {
      title: 'Switch off',
      what: 'Stop the old readers, then delete the old place. Until here the way back is to switch the senders again.',
      commands: [`rabbitmqctl list_queues -p ${old} name messages consumers`, `rabbitmqctl delete_vhost ${old}`],
      until: 'no service has the old configuration',
    },
  ]
}

/** For a shell. */
export const quoted = (name: string): string => `'${name.replaceAll("'", `'\\''`)}'`
