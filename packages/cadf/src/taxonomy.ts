/** What an action begins with. Source: pycadf/cadftaxonomy.py. */
export const ACTIONS: readonly string[] = [
  'backup',
  'capture',
  'create',
  'configure',
  'read',
  'read/list',
  'update',
  'delete',
  'monitor',
  'start',
  'stop',
  'deploy',
  'undeploy',
  'enable',
  'disable',
  'send',
  'receive',
  'authenticate',
  'authenticate/login',
  'revoke',
  'renew',
  'restore',
  'evaluate',
  'allow',
  'deny',
  'notify',
  'unknown',
]

/** What the type of a resource begins with; more precise ones follow behind a slash. Source: pycadf/cadftaxonomy.py,
 *  without those that begin with another of the list. */
export const RESOURCE_TYPES: readonly string[] = ['storage', 'compute', 'network', 'service', 'data', 'unknown']

/** The type of whoever calls an API. */
export const ACCOUNT_USER = 'service/security/account/user'
