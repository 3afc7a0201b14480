// Starts a hub and runs the program of example 01 on it, unchanged: only the URLs of the two buses differ.
import { Hub } from './hub/server.ts'

const hub = await Hub.start()
process.env['OS_DEFAULT__TRANSPORT_URL'] = hub.url
process.env['OS_OSLO_MESSAGING_NOTIFICATIONS__TRANSPORT_URL'] = hub.url
await import('@oslo-messaging/example-hybrid-service')
await hub.close()
