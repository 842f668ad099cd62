import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventStoreContract } from '../contract/event-store-contract.ts'
import { proposed, proposedList, readAll, rejection } from '../contract/event-store-samples.ts'
import { checkAppend } from './append-check.ts'
import { MemoryStore } from './memory-store.ts'

eventStoreContract(test, 'memory', async () => {
  const store = new MemoryStore()
  return { store, dispose: () => store.close() }
})

test('memory: an event changed by a reader or by the writer leaves the book as it was', async () => {
  const store = new MemoryStore()
  const event = proposed({})
  const body = event.body
  await store.append('a', -1, [event])
  event.body = '"changed"'
  const [read] = await readAll(store, 'a')
  if (read !== undefined) read.body = '"changed"'
  assert.is((await readAll(store, 'a'))[0]?.body, body)
})

test('memory: a closed store refuses work', async () => {
  const store = new MemoryStore()
  await store.close()
  const calls = [
    () => store.append('a', -1, proposedList(1)),
    () => store.head('a'),
    () => readAll(store, 'a'),
  ]
  for (const call of calls) assert.match(String(await rejection(call())), /closed/)
  assert.throws(() => store.subscribe('a', 0, () => undefined), /closed/)
})

test('an append is checked before it is written: shapes', () => {
  const flaws: [Partial<Parameters<typeof proposed>[0]>, RegExp][] = [
    [{ id: 'not-a-uuid' }, /UUID/],
    [{ type: 'two words' }, /plain name/],
    [{ type: 'a,b' }, /plain name/],
    [{ checksum: 'abc' }, /sha256/],
    [{ body: '' }, /empty/],
    [{ body: '{\n}' }, /one line/],
    [{ body: '"\0"' }, /one line/],
    [{ body: '"\ud800"' }, /well-formed/],
  ]
  for (const [given, message] of flaws) {
    const check = () => checkAppend('a', -1, [proposed({}), proposed(given)])
    assert.throws(
      check,
      (error: unknown) => error instanceof TypeError && message.test(error.message),
    )
  }
  assert.throws(() => checkAppend('', -1, proposedList(1)), TypeError)
})

test('an append is checked before it is written: positions and counts', () => {
  for (const expected of [-2, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => checkAppend('a', expected, proposedList(1)), /not an integer/)
  }
  assert.throws(() => checkAppend('a', -1, []), /needs an event/)
})

test.run()
