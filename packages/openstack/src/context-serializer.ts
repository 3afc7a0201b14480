import { type MessageContext, NoOpSerializer, type Serializer } from '@oslo-messaging/core'
import { RequestContext } from './request-context.ts'

/** Sends request contexts as OpenStack services read them, and gives them to endpoints as RequestContext. For clients,
 *  servers, notifiers and listeners; values go through `base`, which changes nothing unless given. */
export class RequestContextSerializer implements Serializer {
  readonly #base: Serializer

  constructor(base: Serializer = new NoOpSerializer()) {
    this.#base = base
  }

  serializeEntity(ctxt: object, entity: unknown): unknown {
    return this.#base.serializeEntity(ctxt, entity)
  }

  deserializeEntity(ctxt: object, entity: unknown): unknown {
    return this.#base.deserializeEntity(ctxt, entity)
  }

  serializeContext(ctxt: object): MessageContext | PromiseLike<MessageContext> {
    return ctxt instanceof RequestContext ? ctxt.toJSON() : this.#base.serializeContext(ctxt)
  }

  deserializeContext(ctxt: MessageContext): RequestContext {
    return RequestContext.fromDict(ctxt)
  }
}
