import { MASK } from '../url/format.ts'

/** Parts of a field's name that say its value is nobody's business, in lower case and without separators. */
const SECRET_NAMES = [
  'password',
  'passwd',
  'passphrase',
  'pswd',
  'adminpass',
  'newpass',
  'secret',
  'token',
  'credential',
  'privatekey',
  'encryptedkey',
  'sshkey',
  'sslkey',
  'apikey',
  'configdrive',
]

/** A copy of JSON values with passwords, tokens and keys replaced by `***`: the values of fields whose name says so,
 *  and such pairs and URL credentials inside texts.
 *  Deeper than 100 levels everything is masked. */
export function maskSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 100) return MASK
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, depth + 1))
  if (value instanceof Map) return maskFields([...value], depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  // What is no simple object is written by its own rules (dates and the like).
  if (prototype !== null && prototype !== Object.prototype) return value
  return maskFields(Object.entries(value), depth)
}

function maskFields(fields: readonly (readonly [unknown, unknown])[], depth: number): object {
  return Object.fromEntries(
    fields.map(([name, field]) => [String(name), isSecret(String(name)) ? MASK : maskSecrets(field, depth + 1)]),
  )
}

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_ .]/g, '')
  return SECRET_NAMES.some((secret) => plain.includes(secret))
}

const URL_CREDENTIALS = /(:\/\/[^\s:/@]*:)[^\s@/]+(@)/g
/** `password=x`, `"admin_pass": "x"`, `token: x`. Repetitions are bounded, so that a hostile text cannot make it
 *  slow. */
const PAIR = new RegExp(
  String.raw`((?:passw(?:or)?d|passphrase|pswd|admin_?pass|new_?pass|secret|token|api_?key|private_?key)[a-z_-]{0,20}["']?\s{0,5}[=:]\s{0,5})("[^"]*"|'[^']*'|[^\s,;&}"']+)`,
  'gi',
)

function maskText(text: string): string {
  return text.replace(URL_CREDENTIALS, `$1${MASK}$2`).replace(PAIR, `$1${MASK}`)
}
