import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import { type Upcaster, UnreadableVersion, UpcastRegistry } from './upcast.ts'

const add =
  (name: string): Upcaster['up'] =>
  (data) => ({ ...data, [name]: true, order: [...((data.order as string[]) ?? []), name] })

const V3 = { 'timer.set': 3, 'timer.fired': 1 } as const
const CASTERS: Upcaster[] = [
  { type: 'timer.set', from: 2, up: add('third') },
  { type: 'timer.set', from: 1, up: add('second') },
]

test('data of every old version passes all upcasters in order, whatever order they are listed in', () => {
  const registry = new UpcastRegistry(CASTERS, V3)
  const given = { name: 'x' }
  assert.equal(registry.read('timer.set', 1, given), {
    name: 'x',
    second: true,
    third: true,
    order: ['second', 'third'],
  })
  assert.equal(registry.read('timer.set', 2, given), { name: 'x', third: true, order: ['third'] })
  assert.is(registry.read('timer.set', 3, given), given)
  assert.is(registry.read('timer.fired', 1, given), given)
  assert.equal(given, { name: 'x' })
})

test('a gap, a repeat or an upcaster that leads nowhere is refused at construction', () => {
  const [third, second] = CASTERS as [Upcaster, Upcaster]
  assert.throws(() => new UpcastRegistry([third], V3), /no upcaster reads timer\.set@1/)
  assert.throws(() => new UpcastRegistry([second], V3), /no upcaster reads timer\.set@2/)
  assert.throws(
    () => new UpcastRegistry([...CASTERS, second], V3),
    /two upcasters read timer\.set@1/,
  )
  const beyond = { type: 'timer.set' as const, from: 3, up: second.up }
  assert.throws(
    () => new UpcastRegistry([...CASTERS, beyond], V3),
    /leads beyond the current version/,
  )
  const unknown = { type: 'market.bar' as const, from: 1, up: second.up }
  assert.throws(
    () => new UpcastRegistry([...CASTERS, unknown], V3),
    /leads beyond the current version/,
  )
})

test('a newer version and an unknown type are unreadable, with a remedy', () => {
  const registry = new UpcastRegistry(CASTERS, V3)
  const refused = (pattern: RegExp) => (error: unknown) =>
    error instanceof UnreadableVersion &&
    error.code === 'unreadable_version' &&
    pattern.test(error.message)
  assert.throws(() => registry.read('timer.set', 4, {}), refused(/version 4.*up to 3: upgrade it/))
  assert.throws(() => registry.read('timer.set', 0, {}), refused(/version 0/))
  assert.throws(() => registry.read('market.bar', 1, {}), refused(/market\.bar are unknown here/))
})

test('every type this code writes is read as it is', () => {
  const registry = new UpcastRegistry()
  for (const [type, version] of Object.entries(EVENT_VERSIONS) as [EventType, number][]) {
    const data = { type }
    assert.is(registry.read(type, version, data), data)
    assert.throws(() => registry.read(type, version + 1, data), /upgrade it/)
  }
})

test('a type that every object inherits, and a version that is no count, are unreadable', () => {
  const unreadable = (type: string, version: number, registry = new UpcastRegistry()) =>
    assert.throws(
      () => registry.read(type as EventType, version, {}),
      (error: unknown) => error instanceof UnreadableVersion,
      `${type} ${version}`,
    )
  for (const type of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    unreadable(type, 1)
  }
  const registry = new UpcastRegistry(CASTERS, V3)
  for (const version of [1.5, 2.999, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    unreadable('timer.set', version)
    unreadable('timer.set', version, registry)
  }
})

test.run()
