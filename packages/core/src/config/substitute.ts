/** `\$`, `$$`, `$name`, `${name}`; a `$` before anything else stays. Names may have dots: `${group.name}`. */
const REFERENCE = /\\\$|\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi

/** Replaces references to other options, as oslo.config does. `lookUp` gives the text for a name. */
export function substitute(text: string, lookUp: (name: string) => string): string {
  if (!text.includes('$')) return text
  return text.replace(REFERENCE, (_match, _dollar: string | undefined, bare?: string, braced?: string) => {
    const name = bare ?? braced
    return name === undefined ? '$' : lookUp(name)
  })
}
