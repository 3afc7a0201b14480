import { Catch, type ExceptionFilter } from '@nestjs/common'
import { type Observable, throwError } from 'rxjs'

/** Hands on what a handler throws. Nest's own filter makes an "Internal server error" of it, and with that the code,
 *  the phase and what is known of the delivery would be lost. */
export class RpcErrorFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error)
  }
}

Catch()(RpcErrorFilter)
