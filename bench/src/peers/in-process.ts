/** The least that deserves the name of an in-process call: JSON both ways, so that nobody shares objects, a turn of the event loop, and a deadline. */
export interface HandWrittenBus {
  call(method: string, args: object, timeoutMs: number): Promise<unknown>
}

export function createHandWrittenBus(methods: Readonly<Record<string, (args: unknown) => unknown>>): HandWrittenBus {
  return {
    call: (name, args, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`No reply within ${timeoutMs} ms`)), timeoutMs)
        const text = JSON.stringify({ method: name, args })
        const answer = async (): Promise<void> => {
          const request = JSON.parse(text) as { method: string; args: unknown }
          const result = JSON.stringify(await methods[request.method]?.(request.args))
          clearTimeout(timer)
          resolve(JSON.parse(result))
        }
        queueMicrotask(() => void answer().catch(reject))
      }),
  }
}
