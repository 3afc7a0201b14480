import { RpcMethod } from '../../src/index.ts'
import { decorate } from './shop.ts'

/** A controller whose method throws what a test has put there. */
export class ThrowingController {
  static thrown: unknown

  fail(): never {
    throw ThrowingController.thrown
  }
}
decorate(ThrowingController.prototype, { fail: [RpcMethod()] })
