import {
  getNotificationListener,
  getRpcClient,
  getRpcServer,
  Notifier,
  Target,
  type Transport,
} from '@oslo-messaging/core'
import { openNotificationTransport, openRpcTransport } from '../api.ts'
import type { ConformanceCase, Need } from '../case.ts'
import type { Harness } from '../harness.ts'
import { assertCode } from '../messages.ts'

interface Use {
  readonly name: string
  readonly needs: readonly Need[]
  readonly open: (harness: Harness) => Promise<Transport>
  readonly run: (harness: Harness, transport: Transport) => Promise<unknown>
}

const uses: readonly Use[] = [
  {
    name: 'call',
    needs: ['rpc'],
    open: openRpcTransport,
    run: (harness, transport) => getRpcClient(transport, harness.target()).call({}, 'm'),
  },
  {
    name: 'cast',
    needs: ['rpc'],
    open: openRpcTransport,
    run: (harness, transport) => getRpcClient(transport, harness.target()).cast({}, 'm'),
  },
  {
    name: 'starting a server',
    needs: ['rpc'],
    open: openRpcTransport,
    run: (harness, transport) => getRpcServer(transport, harness.target({ server: 'a' }), [{ m() {} }]).start(),
  },
  {
    name: 'notify',
    needs: ['notifications'],
    open: openNotificationTransport,
    run: (harness, transport) =>
      new Notifier(transport, { driver: 'messagingv2', topics: [harness.unique()] }).info({}, 'event', {}),
  },
  {
    name: 'starting a notification listener',
    needs: ['notifications'],
    open: openNotificationTransport,
    run: (harness, transport) =>
      getNotificationListener(transport, [new Target({ topic: harness.unique() })], [{ info() {} }]).start(),
  },
]

/** Every use of a closed transport rejects with CLOSED. */
export const closedCases: readonly ConformanceCase[] = uses.map(({ name, needs, open, run }) => ({
  name: `closed - ${name} rejects with CLOSED`,
  needs,
  async run(harness) {
    const transport = await open(harness)
    await harness.soon(Promise.all([transport.close(), transport.close()]), 'end of close')
    assertCode(await harness.rejection(run(harness, transport), name), 'CLOSED', name)
  },
}))
