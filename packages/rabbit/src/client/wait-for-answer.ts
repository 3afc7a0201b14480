/** In the `code` of an error: the broker did not answer in time. */
export const NO_ANSWER = 'NO_ANSWER'

/** The broker's answer to one question; `what` names it. Rejects with an error of code NO_ANSWER when there is none
 *  within `ms`; time in which `isHeldUp` does not count, because a broker that is out of memory or disk answers nobody
 *  until it is not. What the answer does afterwards is of no interest. */
export async function waitForAnswer<T>(
  answer: Promise<T>,
  { what, ms, isHeldUp }: { readonly what: string; readonly ms: number; readonly isHeldUp: () => boolean },
): Promise<T> {
  return await new Promise((resolve, reject) => {
    const lapse = (): void => {
      if (isHeldUp()) timer = setTimeout(lapse, ms).unref()
      else reject(Object.assign(new Error(`No answer to ${what} within ${ms} ms`), { code: NO_ANSWER }))
    }
    let timer = setTimeout(lapse, ms).unref()
    answer.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
