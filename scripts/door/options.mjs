/** Takes the option `name` with its value out of arguments, as `--name value` or `--name=value`. `value` is undefined
 *  when the option is not there, and empty when it lacks one. */
export function takeOption(args, name) {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  if (at === -1) return { value: undefined, rest: args }
  const isInline = args[at] !== name
  const value = isInline ? args[at].slice(name.length + 1) : (args[at + 1] ?? '')
  return { value, rest: [...args.slice(0, at), ...args.slice(at + (isInline ? 1 : 2))] }
}
