let lastTime = Number.NaN
let lastText = ''

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC; no fraction when it is zero, which is how Python prints it.
 *  Notifications come by the dozen in one millisecond, so the last text is kept. */
export function timestampText(wallTime: number): string {
  if (wallTime === lastTime) return lastText
  const text = new Date(wallTime).toISOString()
  const millis = text.slice(-4, -1)
  lastText = `${text.slice(0, -14)} ${text.slice(-13, -5)}${millis === '000' ? '' : `.${millis}000`}`
  lastTime = wallTime
  return lastText
}
