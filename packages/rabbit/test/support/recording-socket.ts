import { Socket } from 'node:net'

/** A socket that keeps what is written to it; each system call is one entry. */
export class RecordingSocket extends Socket {
  readonly calls: Buffer[] = []
  /** Takes its time: bytes are looked at when the next turn of the event loop begins. */
  slow = false
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.calls.push(Buffer.from(chunk))
      done()
    }
    if (this.slow) setImmediate(take)
    else take()
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }
}
