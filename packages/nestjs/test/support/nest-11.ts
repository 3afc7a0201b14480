import { createRequire } from 'node:module'

/** Loads a module of Nest 11, which a package beside the tests depends on. For `vi.mock`. */
export const nest11: NodeJS.Require = createRequire(new URL('../nest-11/package.json', import.meta.url))
