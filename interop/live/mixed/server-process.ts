// Our server `one` in a process of its own, to be killed. Arguments: URL, options as JSON, topic. Prints `ready`, and
// each request as a line of JSON.
import { writeSync } from 'node:fs'

import type { ConfigOverrides } from '@oslo-messaging/core'

import { OurSide } from '../our-side.ts'

const [url = '', options = '{}', topic = ''] = process.argv.slice(2)
const side = new OurSide(url, JSON.parse(options) as ConfigOverrides)
const { requests } = await side.serve({ topic, server: 'one' })
requests.forEach((request) => void writeSync(1, `${JSON.stringify(request)}\n`))
writeSync(1, 'ready\n')
process.stdin.on('close', () => process.exit()).resume()
