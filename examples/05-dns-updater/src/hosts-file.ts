import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const LINE = /^(\S+) (\S+) # (\S+)$/

interface DnsRecord {
  readonly address: string
  readonly name: string
  /** Whose it is: the id of an instance. */
  readonly owner: string
}

/** Records as a file that CoreDNS and dnsmasq read, `10.0.0.7 web-1.cloud.example # owner`. Setting and removing twice
 *  is as once, so a notification that comes again changes nothing. */
export class HostsFile {
  readonly #path: string
  #records: readonly DnsRecord[]
  #writing: Promise<unknown> = Promise.resolve()

  constructor(path: string, records: readonly DnsRecord[]) {
    this.#path = path
    this.#records = records
  }

  /** Replaces what the owner has. Resolves when the file is complete. */
  async set(owner: string, name: string, addresses: readonly string[]): Promise<void> {
    await this.#change((records) => [
      ...records.filter((record) => record.owner !== owner),
      ...addresses.map((address) => ({ address, name, owner })),
    ])
  }

  async remove(owner: string): Promise<void> {
    await this.#change((records) => records.filter((record) => record.owner !== owner))
  }

  /** One change after the other; readers see the file before or after it, and nothing between. */
  async #change(change: (records: readonly DnsRecord[]) => readonly DnsRecord[]): Promise<void> {
    const mine = this.#writing.then(async () => {
      const records = change(this.#records)
      const lines = records.map(({ address, name, owner }) => `${address} ${name} # ${owner}\n`)
      await writeFile(`${this.#path}.new`, lines.join(''))
      await rename(`${this.#path}.new`, this.#path)
      this.#records = records
    })
    // The next change waits for the end of this one, however it ends; a failure is told to whoever asked for this one.
    this.#writing = Promise.allSettled([mine])
    await mine
  }
}

export async function openHostsFile(path: string): Promise<HostsFile> {
  await mkdir(dirname(path), { recursive: true })
  const text = await readFile(path, { encoding: 'utf8', flag: 'a+' })
  const records = text.split('\n').flatMap((line) => {
    const [, address, name, owner] = LINE.exec(line) ?? []
    return address === undefined || name === undefined || owner === undefined ? [] : [{ address, name, owner }]
  })
  return new HostsFile(path, records)
}
