import { randomUUID } from 'node:crypto'

import { run } from '../run.ts'

/** How to have an Erlang expression evaluated inside a running node; plain data, so it can be handed to another
 *  process. */
export type RabbitConsole =
  | { readonly kind: 'erl_call'; readonly node: string; readonly cookie: string; readonly env: NodeJS.ProcessEnv }
  | { readonly kind: 'docker'; readonly container: string }

/** Evaluates expressions such as `rabbit_misc:version().` and resolves to the printed value; 5 to 30 ms through
 *  erl_call, a second in a container. The final dot may be left out. Rejects with what the node said. */
export async function evaluate(console: RabbitConsole, expression: string): Promise<string> {
  const text = `${expression.trim().replace(/\.$/, '')}.\n`
  if (console.kind === 'docker') {
    const result = await run('docker', ['exec', console.container, 'rabbitmqctl', 'eval', text], { timeoutMs: 60_000 })
    if (result.code !== 0) throw new Error(`rabbitmqctl eval failed: ${result.stderr.trim()}\n${text}`)
    return result.stdout.trim()
  }
  // Two callers of one name at a time turn each other away; erl_call's own random name repeats within a second.
  const caller = `c${randomUUID().replaceAll('-', '')}`
  const args = ['-h', caller, '-sname', console.node, '-c', console.cookie, '-e']
  const result = await run('erl_call', args, { env: console.env, input: text, timeoutMs: 60_000 })
  const answer = result.stdout.trim()
  if (result.code !== 0 || !answer.startsWith('{ok, ')) {
    throw new Error(`erl_call failed: ${answer} ${result.stderr.trim()}\n${text}`)
  }
  return answer.slice('{ok, '.length, -1)
}

/** A text as an Erlang binary literal; every byte as a number, so that no quoting can go wrong. */
export function binary(text: string): string {
  return `<<${[...Buffer.from(text, 'utf8')].join(',')}>>`
}
