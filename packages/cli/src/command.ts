import type { Command } from 'commander'
import type { Io } from './io.ts'

/** What one command does; resolves with the exit code. */
export type Action = (io: Io) => Promise<number>

/** One file of `commands/`: says its arguments and options, and names the action that they ask for. */
export interface CommandModule {
  /** Words that are spelled as another program spells them, as this one reads them. */
  readonly rewrite?: (argv: readonly string[]) => readonly string[]
  /** Called before the command line is read. `act` is called by the command's own handler, and the action is run once
   *  everything was understood. */
  define(command: Command, act: (action: Action) => void): void
}

/** A command before it is loaded. */
export interface CommandEntry {
  readonly summary: string
  readonly group: string
  readonly load: () => Promise<CommandModule>
}

const SEND = 'Sending and receiving:'
const ASK = 'What is there:'
const KEEP = 'Dead letters and queues:'

/** Every command by its name. Loaded when it is asked for, so that help costs none of them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  call: {
    summary: 'call a method and print its reply',
    group: SEND,
    load: () => import('./commands/call.ts'),
  },
  cast: {
    summary: 'send a request that nobody answers',
    group: SEND,
    load: () => import('./commands/cast.ts'),
  },
  fanout: {
    summary: 'send a request to every server of a topic',
    group: SEND,
    load: () => import('./commands/fanout.ts'),
  },
  notify: {
    summary: 'send a notification',
    group: SEND,
    load: () => import('./commands/notify.ts'),
  },
  listen: {
    summary: 'show notifications as they come, and take none away',
    group: SEND,
    load: () => import('./commands/listen.ts'),
  },
  serve: {
    summary: 'a server for trying clients',
    group: SEND,
    load: () => import('./commands/serve.ts'),
  },
  config: {
    summary: 'what is configured, where it comes from, what could be',
    group: ASK,
    load: () => import('./commands/config.ts'),
  },
  doctor: {
    summary: 'what is wrong, why it matters and what to do',
    group: ASK,
    load: () => import('./commands/doctor.ts'),
  },
  forward: {
    summary: 'notifications to a webhook, a file or another bus',
    group: SEND,
    load: () => import('./commands/forward.ts'),
  },
  ping: {
    summary: 'every server of a topic, with round-trip times',
    group: ASK,
    load: () => import('./commands/ping.ts'),
  },
  simulate: {
    summary: 'is anything lost, how fast is it, how are faults borne',
    group: ASK,
    load: () => import('./commands/simulate.ts'),
  },
  simulator: {
    summary: "Python's simulator, by its own options",
    group: ASK,
    load: () => import('./commands/simulator.ts'),
  },
  top: {
    summary: 'a live screen of a topic',
    group: ASK,
    load: () => import('./commands/top.ts'),
  },
  topology: {
    summary: 'what will be declared, and who needs which rights',
    group: ASK,
    load: () => import('./commands/topology.ts'),
  },
  migrate: {
    summary: 'from one configuration to another, nothing lost',
    group: KEEP,
    load: () => import('./commands/migrate.ts'),
  },
  queues: {
    summary: 'list the queues, and those nobody reads',
    group: KEEP,
    load: () => import('./commands/queues.ts'),
  },
  redrive: {
    summary: 'return dead letters to where they failed',
    group: KEEP,
    load: () => import('./commands/redrive.ts'),
  },
  driver: {
    summary: 'a package for a driver of your own',
    group: 'Other:',
    load: () => import('./commands/driver.ts'),
  },
  completion: {
    summary: 'completion for bash, zsh and fish',
    group: 'Other:',
    load: () => import('./commands/completion.ts'),
  },
}
