/** The least that deserves the name of an in-process call: a microtask between the two sides, a deadline, and JSON both
 *  ways so that nobody shares objects. */
export interface HandWrittenBus {
  call(method: string, args: object, timeoutMs: number): Promise<unknown>
}

/** `copy` is how a message gets to the other side; by default as JSON text. */
export function createHandWrittenBus(
  methods: Readonly<Record<string, (args: unknown) => unknown>>,
  copy: (message: unknown) => unknown = (message) => JSON.parse(JSON.stringify(message)),
): HandWrittenBus {
  return {
    call: (name, args, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`No reply within ${timeoutMs} ms`)), timeoutMs)
        const answer = async (): Promise<void> => {
          const request = copy({ method: name, args }) as { method: string; args: unknown }
          const result = copy(await methods[request.method]?.(request.args))
          clearTimeout(timer)
          resolve(result)
        }
        queueMicrotask(() => void answer().catch(reject))
      }),
  }
}
