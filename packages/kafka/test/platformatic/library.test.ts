import { describe, expect, it } from 'vitest'
import { createKafkaDriver } from '../../src/index.ts'
import { loadLibrary, type Manifest } from '../../src/platformatic/library.ts'

const failing = (text: string): unknown =>
  expect.objectContaining({
    code: 'OSLO_MESSAGING_DRIVER_LOAD',
    message: expect.stringContaining(text) as string,
  })
const manifest = (version: string, node: string) => (): Manifest => ({ version, engines: { node } })

describe('client platformatic', () => {
  it('is not installed - a typed error with the line for this Node', async () => {
    const absent = (): never => {
      throw new Error('Cannot find package')
    }
    await expect(loadLibrary({ manifest: absent, node: '20.20.2' })).rejects.toEqual(
      failing('npm install @platformatic/kafka@1'),
    )
    await expect(loadLibrary({ manifest: absent, node: '24.0.0' })).rejects.toEqual(
      failing('npm install @platformatic/kafka@2'),
    )
  })

  it('is of a line that does not admit this Node - a typed error that names both, and nothing of it is loaded', async () => {
    let loads = 0
    const importPackage = async (): Promise<unknown> => await Promise.resolve((loads += 1))
    await expect(
      loadLibrary({ manifest: manifest('2.12.1', '>=22.22.0'), node: '20.20.2', importPackage }),
    ).rejects.toEqual(failing('@platformatic/kafka 2.12.1 needs Node >=22.22.0 and this is 20.20.2'))
    expect(loads).toBe(0)
  })

  it('is built otherwise - a typed error, never silence', async () => {
    const importPackage = async (): Promise<unknown> => await Promise.resolve({ Connection: Map })
    await expect(
      loadLibrary({ manifest: manifest('1.0.0', '>= 20.19.4 || >= 22.18.0'), node: '20.20.2', importPackage }),
    ).rejects.toEqual(failing('not one that this driver was made for'))
  })

  it('another name - refused at once', () => {
    const wrong = 'rdkafka' as 'kafkajs'
    expect(() => createKafkaDriver({ client: wrong })).toThrow("client is 'kafkajs' or 'platformatic', not rdkafka")
  })
})
