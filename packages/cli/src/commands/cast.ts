import type { Command } from 'commander'
import { addRequestOptions, addServerOption, type RequestOptions } from '../broker/request-options.ts'
import { castAll } from '../broker/cast.ts'
import type { Action } from '../command.ts'

export function define(command: Command, act: (action: Action) => void): void {
  addServerOption(addRequestOptions(command))
    .description('Sends a request that nobody answers to one server of a topic. Done means that the broker has it.')
    .action((topic: string, method: string | undefined, words: readonly string[], options: RequestOptions) =>
      act(async (io) => await castAll({ topic, method, words, fanout: false }, options, io)),
    )
}
