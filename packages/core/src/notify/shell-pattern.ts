/** Turns a shell pattern into a test: `*` any text, `?` one character, `[abc]`, `[a-z]`, `[!abc]` one of or none of
 *  these. A bracket that is not closed stands for itself.
 *  Upper and lower case differ. Source: Python's fnmatch. */
export function compileShellPattern(pattern: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at)
    if (character === '*') {
      // Repeated stars mean the same and would only make matching slow.
      if (pattern.charAt(at + 1) !== '*') source += '.*'
    } else if (character === '?') source += '.'
    else if (character === '[') {
      // A closing bracket in first place belongs to the set.
      const first = pattern.charAt(at + 1) === '!' ? at + 2 : at + 1
      const end = pattern.indexOf(']', first + 1)
      if (end === -1) source += '\\['
      else {
        source += characterSet(pattern.slice(at + 1, end))
        at = end
      }
    } else source += escape(character)
  }
  return new RegExp(`^${source}$`, 's')
}

function characterSet(content: string): string {
  const negated = content.startsWith('!')
  const members = (negated ? content.slice(1) : content).replace(/[\\\]^[]/g, '\\$&')
  // A range that runs backwards contains nothing.
  const ranges = members.replace(/(\\?[^])-(\\?[^])/g, (range, from: string, to: string) =>
    from.charCodeAt(from.length - 1) > to.charCodeAt(to.length - 1) ? '' : range,
  )
  return `[${negated ? '^' : ''}${ranges}]`
}

function escape(character: string): string {
  return character.replace(/[\\^$.|+()[\]{}/-]/, '\\$&')
}
