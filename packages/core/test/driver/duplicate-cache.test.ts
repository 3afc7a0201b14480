import { expect, it } from 'vitest'
import { DuplicateCache } from '../../src/driver/duplicate-cache.ts'

it('duplicate cache - notices the second time', () => {
  const cache = new DuplicateCache(16)
  expect([cache.seen('a'), cache.seen('a'), cache.has('a'), cache.has('b')]).toEqual([false, true, true, false])
})

it('duplicate cache - forgets the oldest, and only that', () => {
  const cache = new DuplicateCache(3)
  for (const id of ['a', 'b', 'c', 'd']) cache.add(id)
  expect(['a', 'b', 'c', 'd'].map((id) => cache.has(id))).toEqual([false, true, true, true])
})

it('duplicate cache - an id it knows pushes nothing out', () => {
  const cache = new DuplicateCache(2)
  for (const id of ['a', 'b', 'b', 'b']) cache.add(id)
  expect(cache.has('a')).toBe(true)
})

it('duplicate cache - of size 0 remembers nothing', () => {
  const cache = new DuplicateCache(0)
  expect([cache.seen('a'), cache.seen('a')]).toEqual([false, false])
})
