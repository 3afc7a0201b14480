import { existsSync } from 'node:fs'

/** The Chromium of this machine: the one that CHROMIUM_PATH names, or a distribution's package; undefined: none. */
export function chromiumPath(env = process.env) {
  return [env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
    (path) => path !== '' && existsSync(path),
  )
}
