import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Levers {
  /** The command that pulls a lever, as an operator would type it. */
  readonly command: (name: string) => string
  readonly close: () => void
}

/** Commands that reach levers of this process, as an operator's would reach a machine. */
export async function levers(table: Readonly<Record<string, () => Promise<unknown>>>): Promise<Levers> {
  const server = createServer(({ url = '' }, response) => {
    const pull = table[url.slice(1)] ?? (async () => await Promise.reject(new Error(`no lever ${url}`)))
    pull().then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const command = (name: string): string =>
    `${process.execPath} -e "fetch('http://127.0.0.1:${port}/${name}').then(async (answer) => { console.log(await answer.text()); process.exit(answer.ok ? 0 : 1) })"`
  return { command, close: () => void server.close() }
}
