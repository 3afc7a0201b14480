import type { BrokerNode } from '../broker.ts'
import { poll } from '../deadline.ts'
import { BrokerStartFailed } from '../errors.ts'
import { answersAmqp091 } from '../probe.ts'
import type { RabbitControl } from './control.ts'

const TIMEOUT_MS = 30_000

/** What the node says of itself: whether a boot is under way, and how far the application has come. */
const STATE = '{whereis(rabbit_boot)=/=undefined,rabbit_boot_state:get()}'
const READY = '{false,ready}'
const STOPPED = '{false,stopped}'

/** Stops and starts the application inside the running Erlang machines: a second or two instead of five.
 *  Rejects with BrokerStartFailed that says what the broker said. */
export async function restartInPlace(control: RabbitControl, nodes: readonly BrokerNode[]): Promise<void> {
  await Promise.all(nodes.map(async (_, index) => await stop(control, index)))
  await Promise.all(nodes.map(async (node, index) => await start(control, node, index)))
}

/** The port answers before the boot is over, and `rabbit:start()` answers ok to everybody without starting anything
 *  for as long as the boot is marked as under way. So the boot has to end before the application is stopped. */
async function stop(control: RabbitControl, index: number): Promise<void> {
  let state = ''
  await poll(
    async () => {
      state = await stateOf(control, index)
      return state === READY || state === STOPPED || undefined
    },
    { timeoutMs: TIMEOUT_MS, late: () => failed(`no end of its boot before a restart, it is ${state}`) },
  )
  await control.eval('rabbit:stop()', index)
}

async function start(control: RabbitControl, node: BrokerNode, index: number): Promise<void> {
  await evalStart(control, index)
  let state = ''
  await poll(
    async () => {
      state = await stateOf(control, index)
      // What fails after the core has started stops the application again, and `rabbit:start()` still answers ok.
      if (state === STOPPED) throw failed(`stopped after a restart: ${await stopReason(control, index)}`)
      return (state === READY && (await answersAmqp091(node))) || undefined
    },
    { timeoutMs: TIMEOUT_MS, late: () => failed(`no answer after a restart, it is ${state}`) },
  )
}

async function evalStart(control: RabbitControl, index: number): Promise<void> {
  try {
    await control.eval('rabbit:start()', index)
  } catch (cause) {
    throw failed(`refused after a restart: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

async function stateOf(control: RabbitControl, index: number): Promise<string> {
  return (await control.eval(STATE, index)).replaceAll(/\s/g, '')
}

async function stopReason(control: RabbitControl, index: number): Promise<string> {
  return (await control.eval('rabbit_prelaunch:get_stop_reason()', index)).slice(0, 2000)
}

function failed(problem: string, cause?: unknown): BrokerStartFailed {
  return new BrokerStartFailed('rabbit', problem, '', cause === undefined ? undefined : { cause })
}
