import { skipOrFail } from '@oslo-messaging/brokers'
import type { ConfigOverrides } from '@oslo-messaging/core'

import { unique } from '../../test/support/ours.ts'
import { merged, ownNames, settingsOf } from '../matrix/stage-run.ts'
import { OurSide } from '../our-side.ts'
import { PythonSide } from '../python-side.ts'
import type { LiveClient, LiveServer, Side } from '../side.ts'
import { pythonOf, RELEASES } from '../transports/releases.ts'
import type { TransportRow } from '../transports/row.ts'
import { venue } from '../transports/venues.ts'

/** A service of which every server is a program of its own, as in a deployment: Python ones in processes, ours on
 *  transports of their own. */
export interface Deployment extends AsyncDisposable {
  readonly topic: string
  /** Starts a server of that kind; stopping it ends its program. */
  serve(kind: Side['kind']): Promise<LiveServer>
  /** A client of each kind. */
  clients(timeoutMs: number): Promise<readonly LiveClient[]>
}

/** Undefined when this machine cannot have the broker or the Python. */
export async function deploymentsOn(row: TransportRow): Promise<(() => Promise<Deployment>) | undefined> {
  const place = await skipOrFail(venue(row.venue))
  const found = await skipOrFail(pythonOf(row.releases[0] ?? 'newest'))
  if (place === undefined || found === undefined) return undefined
  const { version } = RELEASES[row.releases[0] ?? 'newest']
  return async () => await openDeployment(row.settings, await place.url(row.vhost), { python: found.python, version })
}

/** The same on a broker of one's own. */
export async function openDeployment(
  settings: ConfigOverrides,
  url: string,
  { python, version }: { readonly python: string; readonly version: string },
): Promise<Deployment> {
  const topic = unique('service')
  const open: Side[] = []
  const side = async (kind: Side['kind']): Promise<Side> => {
    const own = merged(settings, ownNames(settings, kind))
    const made =
      kind === 'ours'
        ? new OurSide(url, own)
        : await PythonSide.start({ python, version, url, settings: settingsOf(own) })
    open.push(made)
    return made
  }
  return {
    topic,
    serve: async (kind) => {
      const program = await side(kind)
      const server = await program.serve({ topic, server: unique(kind), quiet: true })
      return {
        ...server,
        stop: async () => {
          await server.stop()
          await program.close()
        },
      }
    },
    clients: async (timeoutMs) => {
      const sides = await Promise.all([side('ours'), side('python')])
      return await Promise.all(sides.map((each) => each.client({ target: { topic }, timeoutMs })))
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all(open.map((each) => each[Symbol.asyncDispose]()))),
  }
}
