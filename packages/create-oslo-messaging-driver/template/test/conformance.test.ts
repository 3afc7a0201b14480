import { after, before, describe, it } from 'node:test'
import { formatReport, runDriverConformance } from '@oslo-messaging/conformance'
import { TransportURL } from '@oslo-messaging/core/driver'
import { createDriverContext } from '@oslo-messaging/core/testing'
import { __name__Driver } from '../src/index.js'

const context = createDriverContext(__name__Driver)

// Level 0 is what a driver owes on a good day. Give the suite a proxy in front of your broker (`levers`), and raise it.
runDriverConformance({
  describe,
  it: (name, body, timeoutMs) => it(name, timeoutMs === undefined ? {} : { timeout: timeoutMs }, body),
  beforeAll: (body) => before(body),
  afterAll: (body) => after(body),
  capabilities: __name__Driver.capabilities,
  level: 0,
  createDriver: () => __name__Driver.open(TransportURL.parse('__name__://127.0.0.1/'), context),
  onReport: (report) => console.log(formatReport(report)),
})
