import { readFileSync } from 'node:fs'
import { Target } from '@oslo-messaging/core/driver'
import type { PeerProperties } from '../../src/connection/peer-connection.ts'
import { chooseAddresser } from '../../src/topology/topic-addresses.ts'
import { type AmqpOptions, amqpConfig } from '../../src/config.ts'

interface Case {
  readonly mode: string
  readonly peer_properties: PeerProperties
  readonly vhost: string | null
  readonly default_exchange: string | null
  readonly options?: { readonly rpc_exchange: string; readonly notify_exchange: string }
  readonly target: {
    readonly topic: string
    readonly server?: string
    readonly exchange?: string
    readonly fanout?: boolean
  }
  readonly service: 'rpc' | 'notify'
  readonly address: string
}

const table = JSON.parse(
  readFileSync(new URL('../../../../interop/vectors/unit-amqp1-addresses.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] }

const defaults = Object.fromEntries(
  Object.entries(amqpConfig.options).map(([name, option]) => [name, option.default]),
) as unknown as AmqpOptions

/** Addresses as Python computes them. */
export const addressRows = table.cases.map((row, index) => ({
  title: `row ${index}: ${row.mode} ${row.service} -> ${row.address}`,
  compute: (): unknown => {
    const options = {
      ...defaults,
      addressing_mode: row.mode,
      default_rpc_exchange: row.options?.rpc_exchange ?? null,
      default_notification_exchange: row.options?.notify_exchange ?? null,
    }
    const context = { options, virtualHost: row.vhost, defaultExchange: row.default_exchange }
    return chooseAddresser(context, row.peer_properties).address(new Target(row.target), row.service)
  },
  python: row.address,
}))
