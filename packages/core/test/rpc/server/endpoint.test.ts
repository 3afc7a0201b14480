import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LegacyRPCAccessPolicy, NoSuchMethod, Target } from '../../../src/index.ts'
import { createScene, rejection, type Scene } from '../scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
})

describe('D11 endpoint methods - only the endpoint’s own declared functions', () => {
  let ran: string[] = []
  beforeEach(() => {
    ran = []
  })

  class Base {
    inherited(): string {
      return 'inherited'
    }
  }
  class Endpoint extends Base {
    readonly target = new Target()
    readonly value = 7
    readonly arrow = (): string => 'arrow'
    get getter(): () => string {
      ran.push('getter')
      return () => 'never'
    }
    method(): string {
      return 'method'
    }
    static factory(): string {
      return 'static'
    }
  }

  it('its method is served', async () => {
    await scene.serve(new Endpoint())
    expect(await scene.client().call({}, 'method')).toBe('method')
  })

  it.each([
    'arrow',
    'inherited',
    'constructor',
    '__proto__',
    '__defineGetter__',
    '__lookupSetter__',
    'hasOwnProperty',
    'isPrototypeOf',
    'toString',
    'valueOf',
    'toLocaleString',
    'propertyIsEnumerable',
    'target',
    'value',
    'getter',
    'factory',
    'prototype',
    'missing',
  ])('%s is not, and nothing runs', async (method) => {
    await scene.serve(new Endpoint(), { accessPolicy: LegacyRPCAccessPolicy })
    expect(await rejection(scene.client().call({}, method))).toBeInstanceOf(NoSuchMethod)
    expect(ran).toEqual([])
  })

  it('an endpoint without a prototype works', async () => {
    const endpoint = Object.assign(Object.create(null) as object, { go: () => 1 })
    await scene.serve(endpoint)
    expect(await scene.client().call({}, 'go')).toBe(1)
    expect(await rejection(scene.client().call({}, 'toString'))).toBeInstanceOf(NoSuchMethod)
  })
})
