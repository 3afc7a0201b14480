import { randomUUID } from 'node:crypto'

import { binary, evaluate, type RabbitConsole } from './erlang.ts'

/** Whom the broker's log names as the one who did it. */
const ACTOR = binary('tests')

/** Levers inside a running RabbitMQ. Those with a `vhost` touch only that virtual host, so tests that share a broker
 *  and keep to their own virtual host do not disturb each other. */
export class RabbitControl {
  readonly #consoles: readonly RabbitConsole[]
  readonly #user: string
  readonly #urlFor: (vhost: string) => string

  constructor(consoles: readonly RabbitConsole[], user: string, urlFor: (vhost: string) => string) {
    this.#consoles = consoles
    this.#user = user
    this.#urlFor = urlFor
  }

  /** Evaluates an Erlang expression on a node (default the first) and resolves to the printed value. */
  eval(expression: string, node = 0): Promise<string> {
    const console = this.#consoles[node]
    if (console === undefined) {
      return Promise.reject(new Error('This broker was not started here, so nothing can be evaluated in it'))
    }
    return evaluate(console, expression)
  }

  /** Makes a virtual host (a name of its own by default) that the test user may use; resolves to its URL.
   *  On a broker that was not started here it makes none and gives the broker's own URL: unique names must do. */
  async vhost(name = `t-${randomUUID().slice(0, 8)}`): Promise<string> {
    if (this.#consoles.length === 0) return this.#urlFor('')
    const v = binary(name)
    await this.eval(`rabbit_vhost:add(${v}, ${ACTOR}), ${grant(this.#user, name)}`)
    return this.#urlFor(name)
  }

  /** Removes a virtual host with all it holds; its connections are closed with 320 and its consumers cancelled. */
  async deleteVhost(name: string): Promise<void> {
    await this.eval(`rabbit_vhost:delete(${binary(name)}, ${ACTOR})`)
  }

  /** Makes a user with all rights on the virtual host (default `/`), or with the given patterns. */
  async addUser(name: string, password: string, rights: UserRights = {}): Promise<void> {
    const add = `rabbit_auth_backend_internal:add_user(${binary(name)}, ${binary(password)}, ${ACTOR})`
    await this.eval(`${add}, ${grant(name, rights.vhost ?? '/', rights)}`)
  }

  /** Gives the test user all rights on the virtual host (default `/`), or those of the patterns alone: an empty one is
   *  none. Consumers that are there stay; what is asked for from then on is refused with 403. */
  async setRights(rights: UserRights = {}): Promise<void> {
    await this.eval(grant(this.#user, rights.vhost ?? '/', rights))
  }

  /** Deletes a user; its connections are closed with 320. */
  async deleteUser(name: string): Promise<void> {
    await this.eval(`rabbit_auth_backend_internal:delete_user(${binary(name)}, ${ACTOR})`)
  }

  /** Deletes a queue under its consumers, who are cancelled by the server. */
  async deleteQueue(queue: string, vhost = '/'): Promise<void> {
    await this.eval(
      `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(${binary(vhost)},queue,${binary(queue)})),` +
        `rabbit_amqqueue:delete(Q,false,false,${ACTOR})`,
    )
  }

  /** Kills the process of a queue: what a crash inside the broker looks like. */
  async crashQueue(queue: string, vhost = '/'): Promise<void> {
    await this.eval(
      `{ok,Q}=rabbit_amqqueue:lookup(rabbit_misc:r(${binary(vhost)},queue,${binary(queue)})),exit(amqqueue:get_pid(Q),kill)`,
    )
  }

  /** Closes connections in order, with 320 and the reason; only those of `vhost` when it is given. Resolves to how
   *  many. */
  async closeAllConnections(options: { readonly vhost?: string; readonly reason?: string } = {}): Promise<number> {
    const reason = `"${(options.reason ?? 'closed by a test').replaceAll(/["\\]/g, '')}"`
    return Number(
      await this.eval(
        `L=${connections(options.vhost)},[rabbit_networking:close_connection(P,${reason})||P<-L],length(L)`,
      ),
    )
  }

  /** Kills connections inside the broker: their peers see a reset without a word. Resolves to how many. */
  async dropAllConnections(options: { readonly vhost?: string } = {}): Promise<number> {
    return Number(await this.eval(`L=${connections(options.vhost)},[exit(P,kill)||P<-L],length(L)`))
  }

  /** Crashes every channel of the broker: 541, and the connection with it. Not limited to a virtual host. */
  async crashChannels(): Promise<void> {
    await this.eval('[exit(P,kill)||P<-rabbit_channel:list()],ok')
  }

  /** Raises the memory alarm: a connection is blocked once it publishes. Touches every virtual host. */
  async setMemoryAlarm(node = 0): Promise<void> {
    await this.eval('rabbit_alarm:set_alarm({{resource_limit,memory,node()},[]})', node)
  }

  async clearMemoryAlarm(node = 0): Promise<void> {
    await this.eval('rabbit_alarm:clear_alarm({resource_limit,memory,node()})', node)
  }

  /** Puts what has been declared on disk; without it, what is younger than three seconds may not survive `kill()`. */
  async flush(node = 0): Promise<void> {
    await this.eval('[dets:sync(T)||T<-dets:all()],(catch mnesia:sync_log()),ok', node)
  }

  /** Messages ready in a queue, and its consumers; undefined when it does not exist. */
  async queue(queue: string, vhost = '/'): Promise<{ messages: number; consumers: number } | undefined> {
    const answer = await this.eval(
      `case rabbit_amqqueue:lookup(rabbit_misc:r(${binary(vhost)},queue,${binary(queue)})) of ` +
        '{ok,Q}->I=rabbit_amqqueue:info(Q,[messages_ready,consumers]),' +
        '{proplists:get_value(messages_ready,I),proplists:get_value(consumers,I)};_->none end',
    )
    const [, messages, consumers] = /^\{(\d+),\s*(\d+)\}$/.exec(answer) ?? []
    return messages === undefined ? undefined : { messages: Number(messages), consumers: Number(consumers) }
  }
}

/** Rights of a user on a virtual host, as regular expressions over names of queues and exchanges. Default: everything
 *  on `/`. */
export interface UserRights {
  readonly vhost?: string
  readonly configure?: string
  readonly write?: string
  readonly read?: string
}

function grant(user: string, vhost: string, rights: UserRights = {}): string {
  const patterns = [rights.configure, rights.write, rights.read].map((pattern) => binary(pattern ?? '.*'))
  return `rabbit_auth_backend_internal:set_permissions(${binary(user)},${binary(vhost)},${patterns.join(',')},${ACTOR})`
}

/** Erlang list of the connection processes of this node, of one virtual host or of all. */
function connections(vhost: string | undefined): string {
  if (vhost === undefined) return 'rabbit_networking:local_connections()'
  return (
    `[P||P<-rabbit_networking:local_connections(),` +
    `(catch rabbit_networking:connection_info(P,[vhost]))=:=[{vhost,${binary(vhost)}}]]`
  )
}
