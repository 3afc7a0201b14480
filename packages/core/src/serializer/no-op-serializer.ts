import type { MessageContext } from '../driver/messages.ts'
import { SerializationError } from '../errors.ts'
import { isSimpleObject } from '../wire/json-writer.ts'
import type { Serializer } from './serializer.ts'

/** The default: changes nothing. A base for serializers that change one direction only. */
export class NoOpSerializer implements Serializer {
  serializeEntity(_ctxt: object, entity: unknown): unknown {
    return entity
  }

  deserializeEntity(_ctxt: object, entity: unknown): unknown {
    return entity
  }

  /** A context that is an instance is sent as its `toJSON` says, or else as the fields it owns. */
  serializeContext(ctxt: object): MessageContext | PromiseLike<MessageContext> {
    if (isSimpleObject(ctxt)) return ctxt as MessageContext
    const fields: unknown = 'toJSON' in ctxt && typeof ctxt.toJSON === 'function' ? ctxt.toJSON('') : { ...ctxt }
    if (typeof fields === 'object' && fields !== null) return fields as MessageContext
    throw new SerializationError("The context's toJSON gave no object")
  }

  deserializeContext(ctxt: MessageContext): object | PromiseLike<object> {
    return ctxt
  }
}
