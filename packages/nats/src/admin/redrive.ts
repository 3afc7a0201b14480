import { ConfigurationError, type RedriveReport, type RedriveRequest, RedriveTally } from '@oslo-messaging/core/driver'
import { codeOf, type JetStream, type StoredMsg, STREAM_NOT_FOUND } from '../client/jet-stream.ts'
import type { Link } from '../client/link.ts'
import { mapError } from '../connection/map-error.ts'
import type { Publisher } from '../send/publisher.ts'
import type { Names } from '../topology/names.ts'
import { DRIVER_HEADERS, readHeaders, writeHeaders } from '../wire/headers.ts'
import { consumersOf } from './queues.ts'

const READING = { phase: 'reply', delivery: 'not-sent', waitingFor: 'dead letters' } as const
const TAKING_AWAY = { phase: 'confirm', delivery: 'unknown', waitingFor: 'removal of a dead letter' } as const
/** What a burial adds. */
const BURIAL = /^x-oslo-/i

/** What a run needs. */
export interface RedriveParts {
  readonly link: Link
  readonly jetStream: JetStream
  readonly names: Names
  readonly publisher: Publisher
}

/** Moves the dead letters of some subjects back, for the consumer alone in which each failed. */
export async function redrive(request: RedriveRequest, parts: RedriveParts): Promise<RedriveReport> {
  const { source, to, limit, dryRun, deadline } = request
  const { link, jetStream, names, publisher } = parts
  const place = names.deadSubjectOf(source)
  if (place === undefined)
    throw new ConfigurationError(
      `${source} is neither a subject of notifications or dead letters here nor a consumer: oslo-msg queues names them`,
      { option: 'source' },
    )
  const { subject, consumer: only } = place
  const tally = new RedriveTally()
  const { streams } = await jetStream.manager(link)
  const stream = names.deadLetters
  const asked = async <T>(question: Promise<T>): Promise<T> => await deadline.race(link.orLost(question), READING)
  try {
    const consumers = await asked(consumersOf(link, jetStream, names.stream))
    const existing = new Set(consumers.map(({ name }) => name))
    if (to !== null && !consumers.some(({ config }) => config.filter_subject === to))
      throw new ConfigurationError(`No consumer of ${names.stream} reads ${to}, so JetStream would not keep it`, {
        option: 'to',
      })
    const { state } = await asked(streams.info(stream, { subjects_filter: subject }))
    const total = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0)
    for (let from = state.first_seq; tally.moved < (limit ?? Infinity);) {
      const letter = await asked(streams.getMessage(stream, nextOf(subject, from)))
      // What has come since the run began would come again and again.
      if (letter === null || letter.seq > state.last_seq) break
      from = letter.seq + 1
      const headers = textsOf(letter)
      const failedIn = headers[DRIVER_HEADERS.failedIn]
      if (only !== undefined && failedIn !== only) {
        tally.skip(`it did not fail in ${only}`)
        continue
      }
      if (to === null && (failedIn === undefined || !existing.has(failedIn))) {
        tally.skip(
          failedIn === undefined
            ? 'it does not say which consumer it failed in: name a subject with --to'
            : `the consumer ${failedIn} is gone: name a subject with --to`,
        )
        continue
      }
      if (!dryRun) {
        const own = to === null && failedIn !== undefined ? { [DRIVER_HEADERS.only]: failedIn } : {}
        const original = { subject: to ?? names.origin(letter.subject), body: letter.data }
        const terms = { deadline, retries: 0 }
        await publisher.store({ ...original, headers: writeHeaders(before(headers), own) }, terms, async () => {})
        await deadline.race(link.orLost(streams.deleteMessage(stream, letter.seq, false)), TAKING_AWAY)
      }
      tally.move()
    }
    return tally.report(dryRun ? total : total - tally.moved)
  } catch (error) {
    if (codeOf(error) === STREAM_NOT_FOUND) return tally.report(0)
    throw tally.interrupted(mapError(error, link.host))
  }
}

/** The first message of a subject from a number on, as the server understands it and the library does not declare
 *  it. */
function nextOf(subject: string, seq: number): { readonly seq: number } {
  const request = { seq, next_by_subj: subject }
  return request
}

function textsOf({ header }: StoredMsg): Readonly<Record<string, string>> {
  return Object.fromEntries([...(header?.keys() ?? [])].map((name) => [name, header.last(name)]))
}

/** The application's headers as they were before the burial. */
function before(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(readHeaders(headers) ?? {}).filter(([name]) => !BURIAL.test(name)))
}
