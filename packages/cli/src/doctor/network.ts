import { lookup } from 'node:dns/promises'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls'
import type { Findings } from './finding.ts'

/** The first words of a protocol. */
export interface Greeting {
  readonly bytes: Buffer
  /** Whether the answer, as Latin 1, is that of a broker of this protocol. */
  readonly accepts: (answer: string) => boolean
}

/** One host of a transport URL as it is tried. */
export interface Place {
  readonly hostname: string
  readonly port: number
  /** The driver is configured to speak TLS with it. */
  readonly tls: { readonly ca: string | undefined } | null
  /** First bytes that the protocol's client sends, so that the peer shows what it is; null: it is not asked. */
  readonly greeting: Greeting | null
  readonly timeoutMs: number
}

const SOON_DAYS = 30
const DAY_MS = 86_400_000

/** Resolves the name, connects, and looks at what speaks there: TLS where it is configured, else the first bytes. */
export async function examineNetwork(place: Place, findings: Findings): Promise<void> {
  const { hostname, port } = place
  const host = `${hostname}:${port}`
  if (isIP(hostname) === 0) {
    try {
      const addresses = await lookup(hostname, { all: true })
      findings.add('ok', 'resolve', host, `${hostname} is ${addresses.map(({ address }) => address).join(', ')}`)
    } catch (error) {
      const code = codeOf(error)
      findings.add(
        'error',
        'resolve',
        host,
        `The name ${hostname} cannot be resolved (${code})`,
        'Nothing can connect to it.',
        'Check the spelling in transport_url, and the DNS or /etc/hosts of this machine.',
      )
      return
    }
  }
  const socket = await open(place, findings, host)
  if (socket === undefined) return
  socket.destroy()
  if (place.tls !== null) await examineTls(place, place.tls, findings, host)
  else if (place.greeting !== null) await examineGreeting(place, place.greeting, findings, host)
}

async function open(
  { hostname, port, timeoutMs }: Place,
  findings: Findings,
  host: string,
): Promise<Socket | undefined> {
  const begun = performance.now()
  try {
    const socket = await settle(connectPlain({ host: hostname, port }), 'connect', timeoutMs)
    findings.add('ok', 'connect', host, `The port answers within ${Math.ceil(performance.now() - begun)} ms`)
    return socket
  } catch (error) {
    const code = codeOf(error)
    const refused = code === 'ECONNREFUSED'
    findings.add(
      'error',
      'connect',
      host,
      refused
        ? `Nothing listens at port ${port} of ${hostname}`
        : `Port ${port} of ${hostname} cannot be reached (${code})`,
      'Services wait here and every call runs into its timeout.',
      refused
        ? 'Start the broker, or correct the port in transport_url.'
        : 'Check firewalls, security groups and routes between this machine and the broker.',
    )
    return undefined
  }
}

async function examineTls(
  place: Place,
  { ca }: { readonly ca: string | undefined },
  findings: Findings,
  host: string,
): Promise<void> {
  const { hostname, port, timeoutMs } = place
  const add = findings.add.bind(findings)
  let socket: TLSSocket
  try {
    const options = {
      host: hostname,
      port,
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    }
    socket = await settle(connectTls(options), 'secureConnect', timeoutMs)
  } catch (error) {
    const code = codeOf(error)
    add(
      'error',
      'tls',
      host,
      `The port does not speak TLS (${code})`,
      'TLS is configured, so no connection comes about.',
      'Use the TLS port of the broker (RabbitMQ and AMQP: 5671), or turn TLS off in the configuration.',
    )
    return
  }
  try {
    const certificate = socket.getPeerCertificate()
    const wrongName = checkServerIdentity(hostname, certificate)
    if (socket.authorizationError !== null && !socket.authorized) {
      const reason = String(socket.authorizationError)
      if (/EXPIRED/.test(reason))
        add(
          'error',
          'tls',
          host,
          `The certificate is not valid now: it ended ${certificate.valid_to}`,
          'Clients that verify refuse it.',
          'Renew the certificate of the broker.',
        )
      else if (wrongName === undefined || !/ALTNAME/.test(reason))
        add(
          'error',
          'tls',
          host,
          `The certificate is not trusted (${reason})`,
          'Clients that verify refuse it; those that do not talk to whoever answers.',
          'Give the file of the authority that signed it as ssl_ca_file, or have the broker send the whole chain.',
        )
    }
    if (wrongName !== undefined)
      add(
        'error',
        'tls',
        host,
        `The certificate is for another name: ${certificate.subjectaltname ?? String(certificate.subject.CN)}`,
        `Clients that verify ${hostname} refuse it.`,
        'Name the host in transport_url as the certificate does, or have one made for this name.',
      )
    const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / DAY_MS)
    if (days >= 0 && days < SOON_DAYS)
      add(
        'warning',
        'tls',
        host,
        `The certificate ends in ${days} days, ${certificate.valid_to}`,
        'From then on nobody can connect.',
        'Renew it before.',
      )
    if (!findings.isBroken(host))
      add('ok', 'tls', host, `${socket.getProtocol() ?? 'TLS'}, certificate valid until ${certificate.valid_to}`)
  } finally {
    socket.destroy()
  }
}

/** Sends the first bytes of the protocol in the clear and looks at the answer. */
async function examineGreeting(place: Place, greeting: Greeting, findings: Findings, host: string): Promise<void> {
  const answer = await answerTo(place, greeting.bytes)
  const fail = (what: string, fix: string): void =>
    findings.add('error', 'protocol', host, what, 'Clients that connect here wait until their time is over.', fix)
  const says = typeof answer === 'string' ? '' : answer.toString('latin1')
  if (typeof answer === 'string' && (await speaksTls(place))) failAsTls(fail)
  else if (answer === 'silent')
    fail(
      `The port takes the connection and says nothing for ${place.timeoutMs} ms`,
      'The broker hangs, or something else listens there: look at the broker itself.',
    )
  else if (answer === 'closed') {
    const web = await answerTo(place, Buffer.from('GET / HTTP/1.0\r\n\r\n'))
    if (typeof web !== 'string' && web.toString('latin1').startsWith('HTTP/')) failAsWeb(fail)
    else
      fail(
        'The port closes the connection at the first word',
        'It speaks another protocol: correct the port or the scheme of transport_url.',
      )
  } else if (answer[0] === 0x15) failAsTls(fail)
  else if (says.startsWith('HTTP/')) failAsWeb(fail)
  else if (greeting.accepts(says)) findings.add('ok', 'protocol', host, 'The broker answers in its protocol')
  else if (says.startsWith('AMQP'))
    fail(
      `The broker speaks another version of AMQP (${[...answer.subarray(4, 8)].join('.')})`,
      'rabbit:// is for AMQP 0-9-1, amqp:// for AMQP 1.0; RabbitMQ before 4.0 needs its plugin rabbitmq_amqp1_0 for that.',
    )
  else
    fail(
      'The port answers in a protocol that this driver does not know',
      'Correct the port or the scheme of transport_url.',
    )
}

type Fail = (what: string, fix: string) => void

const failAsWeb = (fail: Fail): void =>
  fail(
    'The port speaks HTTP: it is a web or management interface',
    'Use the port of the broker: RabbitMQ 5672, its management 15672.',
  )

const failAsTls = (fail: Fail): void =>
  fail(
    'The port speaks TLS, and the configuration does not',
    'Set ssl = true in the group of the driver, or use the plain port.',
  )

async function answerTo(place: Place, bytes: Buffer): Promise<Buffer | 'closed' | 'silent'> {
  const socket = connectPlain({ host: place.hostname, port: place.port })
  const answer = await new Promise<Buffer | 'closed' | 'silent'>((resolve) => {
    const timer = setTimeout(() => resolve('silent'), place.timeoutMs)
    const end = (value: Buffer | 'closed'): void => {
      clearTimeout(timer)
      resolve(value)
    }
    socket
      .once('data', end)
      .once('error', () => end('closed'))
      .once('close', () => end('closed'))
    socket.write(bytes)
  })
  socket.destroy()
  return answer
}

async function speaksTls({ hostname, port, timeoutMs }: Place): Promise<boolean> {
  try {
    const socket = await settle(
      connectTls({ host: hostname, port, rejectUnauthorized: false }),
      'secureConnect',
      timeoutMs,
    )
    socket.destroy()
    return true
  } catch {
    // Whatever the handshake failed with, it is none.
    return false
  }
}

async function settle<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<S> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy()
      reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    }, timeoutMs)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : String(error)
}
