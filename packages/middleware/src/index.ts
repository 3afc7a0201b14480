/** What happens in a service as notifications: its HTTP requests, its log records, its errors. */

export { type Environment, type HttpRequest } from './environment.ts'
export {
  type FastifyHooks,
  requestNotifications,
  RequestNotifier,
  type RequestNotifierOptions,
} from './request-notifier.ts'
export {
  ErrorNotifications,
  LogNotifications,
  type LogNotificationsOptions,
  type LogPayload,
} from './log-notifications.ts'
