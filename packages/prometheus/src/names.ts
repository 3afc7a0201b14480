/** Every metric and what it tells, as `/metrics` says it. */
export const HELP = {
  oslo_messaging_sends_total: 'Calls, casts and notifications that have settled. error: the class, empty for none.',
  oslo_messaging_send_duration_seconds:
    'Time of calls until their reply, of casts and notifications until the broker has them.',
  oslo_messaging_handled_total: 'Requests and notifications whose handlers are done. error: the class, empty for none.',
  oslo_messaging_handle_duration_seconds: 'Time of handlers.',
  oslo_messaging_outstanding: 'Calls, casts and notifications that have not settled.',
  oslo_messaging_workers: 'Most messages a server or listener handles at once.',
  oslo_messaging_handlers_running: 'Messages being handled.',
  oslo_messaging_handlers_waiting: 'Messages that were taken from the broker and wait for a worker.',
  oslo_messaging_backlog: 'Messages that wait at the broker, where the driver knows. An estimate.',
  oslo_messaging_ready: '1: work should be sent here.',
  oslo_messaging_component_up: '1: a connection, listener, publisher or reply path is up. state: what it is.',
  oslo_messaging_state_changes_total: 'Changes of state of connections, listeners, publishers and reply paths.',
  oslo_messaging_dropped_total: 'Messages that were settled without reaching a handler.',
  oslo_messaging_replies_abandoned_total: 'Replies that could not be delivered.',
  oslo_messaging_duplicates_handled_total: 'Messages that reached a handler a second time.',
  oslo_messaging_background_errors_total: 'Failures where nobody waits for the outcome.',
} as const

/** The names, for whoever checks a dashboard against them. */
export const METRIC_NAMES: readonly string[] = Object.freeze(Object.keys(HELP))
