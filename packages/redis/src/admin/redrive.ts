import { ConfigurationError, type RedriveReport, type RedriveRequest, RedriveTally } from '@oslo-messaging/core/driver'
import { entriesOf, type Entry, type Link } from '../client/link.ts'
import { mapError } from '../connection/map-error.ts'
import type { Sender } from '../send/sender.ts'
import type { Names } from '../topology/names.ts'
import { FIELDS, readHeaders, writeHeaders } from '../wire/fields.ts'
import { groupsOf } from './queues.ts'

const READING = { phase: 'reply', delivery: 'not-sent', waitingFor: 'dead letters' } as const
const TAKING_AWAY = { phase: 'confirm', delivery: 'unknown', waitingFor: 'removal of a dead letter' } as const
const AT_ONCE = 100
/** What a burial adds. */
const BURIAL = /^x-oslo-/i

/** Moves the dead letters of one stream back, for the group alone in which each failed. */
export async function redrive(
  { source, to, limit, dryRun, deadline }: RedriveRequest,
  link: Link,
  names: Names,
  sender: Sender,
): Promise<RedriveReport> {
  const dead = names.isDeadLetters(source) ? source : names.deadLetters(source)
  if (!names.isDeadLetters(dead))
    throw new ConfigurationError(
      `${source} is no stream of notifications or dead letters here: oslo-msg queues names them`,
      { option: 'source' },
    )
  const origin = names.origin(dead)
  const tally = new RedriveTally()
  const asked = async (...words: Parameters<Link['ask']>): Promise<unknown> =>
    await deadline.race(link.ask(...words), READING)
  const most = limit ?? Infinity
  try {
    const found = await deadline.race(groupsOf(link, origin), READING)
    const groups = new Set(found.map(({ name }) => name))
    const total = Number(await asked('XLEN', dead))
    // What has come since the run began would come again and again.
    const [last] = entriesOf(await asked('XREVRANGE', dead, '+', '-', 'COUNT', 1))
    if (last === undefined) return tally.report(0)
    for (let from = '-'; tally.moved < most;) {
      const letters = entriesOf(await asked('XRANGE', dead, from, last.id, 'COUNT', AT_ONCE))
      const end = letters.at(-1)
      if (end === undefined) break
      from = `(${end.id}`
      for (const letter of letters) {
        if (tally.moved >= most) break
        const group = letter.fields[FIELDS.failedIn]
        if (to === null && (group === undefined || !groups.has(group))) {
          tally.skip(
            group === undefined
              ? 'it does not say which group it failed in: name a stream with --to'
              : `the group ${group} is gone: name a stream with --to`,
          )
          continue
        }
        if (!dryRun) {
          const outgoing = { stream: to ?? origin, fields: originalOf(letter, to === null ? group : undefined) }
          if (!(await sender.add(outgoing, { deadline, retries: 0, makes: false }))) {
            tally.skip(`there is no stream ${outgoing.stream}`)
            continue
          }
          await deadline.race(link.ask('XDEL', dead, letter.id), TAKING_AWAY)
        }
        tally.move()
      }
    }
    return tally.report(dryRun ? total : total - tally.moved)
  } catch (error) {
    throw tally.interrupted(mapError(error, link.host))
  }
}

/** The fields as they were before the burial, for one group or for all. */
function originalOf({ fields }: Entry, group: string | undefined): Readonly<Record<string, string>> {
  const { [FIELDS.failedIn]: _failedIn, [FIELDS.headers]: _headers, ...kept } = fields
  const headers = Object.entries(readHeaders(fields) ?? {}).filter(([name]) => !BURIAL.test(name))
  return {
    ...kept,
    ...writeHeaders(Object.fromEntries(headers)),
    ...(group === undefined ? {} : { [FIELDS.only]: group }),
  }
}
