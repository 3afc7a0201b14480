import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { RunOptions } from './frame/profile.ts'
import { UsageError } from './usage-error.ts'

export type ProfileName = 'amqp' | 'kafka' | 'rabbit'
export const PROFILE_NAMES: readonly ProfileName[] = ['amqp', 'kafka', 'rabbit']

export interface CertifyArguments {
  readonly profile: ProfileName
  readonly options: RunOptions
  /** Folder for the report, absolute. */
  readonly out: string
}

export const USAGE: string = `npm run certify:PROFILE -- [options]      PROFILE is one of ${PROFILE_NAMES.join(', ')}

  --seed TEXT       decides the plan and every choice; the same seed repeats a run. Default: a random one, which is printed
  --version V       version of the broker (kafka: 3.9.2 or 4.4.0; --kafka V means the same)
  --on VARIANT      one variant of the profile (amqp: artemis, rabbitmq or rabbitmq-cluster; rabbit: single, cluster or upgrade). Default: each in turn; with --short the first
  --client NAME     client library of the driver (kafka: kafkajs or platformatic). Default: the driver's own
  --short           a few nemeses, under a minute
  --minutes M       how long nemeses strike in all; each strikes alone once, however long that takes. Default 20
  --only NEMESIS    this nemesis only; may be repeated
  --out FOLDER      where report.json and report.html go. Default: a new folder below the temporary one`

/** Reads the command line. Throws UsageError with one line that says what is wrong. */
export function parseArguments(args: readonly string[], from: string = process.cwd()): CertifyArguments {
  const { values, positionals } = readWords(args)
  const profile = PROFILE_NAMES.find((name) => name === positionals[0])
  if (profile === undefined || positionals.length > 1)
    throw new UsageError(
      `Name one profile of ${PROFILE_NAMES.join(', ')}, not ${JSON.stringify(positionals.join(' '))}`,
    )
  const minutes = Number(values.minutes)
  if (!(minutes >= 0)) throw new UsageError(`--minutes takes a number, not ${JSON.stringify(values.minutes)}`)
  const seed = values.seed ?? String(randomInt(1_000_000))
  return {
    profile,
    options: {
      seed,
      on: values.on,
      version: values.version ?? values.kafka,
      client: values.client,
      short: values.short,
      minutes,
      only: values.only,
    },
    out: resolve(from, values.out ?? join(tmpdir(), `oslo-messaging-certify-${profile}-${seed}-${Date.now()}`)),
  }
}

function readWords(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        version: { type: 'string' },
        kafka: { type: 'string' },
        on: { type: 'string' },
        client: { type: 'string' },
        short: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '20' },
        only: { type: 'string', multiple: true },
        out: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
