import { MessagingError } from '@oslo-messaging/core'

/** A payload or an object is not what its type says. `field` is the path of what is wrong, `payload.flavor.vcpus`;
 *  `raw` is the whole value as it arrived. It stays out of prints and logs, because payloads may hold what nobody
 *  should see. */
export class PayloadMismatch extends MessagingError {
  readonly field: string
  readonly raw!: unknown
  constructor(field: string, problem: string, raw: unknown, code = 'PAYLOAD_MISMATCH') {
    super(code, `${field}: ${problem}`)
    this.field = field
    Object.defineProperty(this, 'raw', { value: raw, enumerable: false })
  }
}

/** An object has another major version than the one that is known here: its fields may mean something else. */
export class UnknownObjectVersion extends PayloadMismatch {
  readonly objectName: string
  readonly version: string
  /** The version that is known. */
  readonly known: string
  constructor(field: string, objectName: string, version: string, known: string, raw: unknown) {
    super(
      field,
      `${objectName} ${version} cannot be read as ${objectName} ${known}: another major version`,
      raw,
      'OBJECT_VERSION',
    )
    this.objectName = objectName
    this.version = version
    this.known = known
  }
}
