import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Input, timer } from '../testing/fixtures.ts'
import { Given } from '../testing/given.ts'
import { formatTime } from '../time.ts'
import { dueBefore, timerData } from './timers.ts'

function set(name: string, dueAt: number): Input {
  return { type: 'timer.set', at: 0, data: { name, dueAt: formatTime(dueAt) } }
}

test('the timer due first comes first; of two at one moment, by name', () => {
  const { table } = new Given().and(set('b', 5000), set('c', 1000), set('a', 5000))
  assert.equal(
    table.timers.waiting.map(({ name }) => name),
    ['c', 'a', 'b'],
  )
})

test('a timer set again moves, a timer fired is gone, another stays', () => {
  const chain = new Given().and(set('a', 1000), set('b', 2000), set('a', 3000))
  assert.equal(chain.table.timers.waiting, [
    { name: 'b', dueAt: 2000 },
    { name: 'a', dueAt: 3000 },
  ])
  chain.and(timer('b', 2000), timer('never-set', 2000))
  assert.equal(chain.table.timers.waiting, [{ name: 'a', dueAt: 3000 }])
})

test('a timer is due before the first input later than itself, not at its own moment', () => {
  const { table } = new Given().and(set('a', 1000))
  assert.is(dueBefore(table.timers, 999), null)
  assert.is(dueBefore(table.timers, 1000), null)
  assert.equal(dueBefore(table.timers, 1001), { name: 'a', dueAt: 1000 })
  assert.is(dueBefore(new Given().table.timers, 1e15), null)
})

test('any timers fire in order of due time, each once', () => {
  const timers = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(20)), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(timers, (given) => {
      const chain = new Given()
      for (const [name, due] of given) chain.and(set(name, due))
      const fired: { name: string; dueAt: number }[] = []
      for (
        let due = dueBefore(chain.table.timers, 100);
        due !== null;
        due = dueBefore(chain.table.timers, 100)
      ) {
        fired.push(due)
        chain.and({ type: 'timer.fired', at: due.dueAt, data: timerData(due) })
      }
      const expected = [...new Map(given)].map(([name, dueAt]) => ({ name, dueAt }))
      expected.sort((a, b) => a.dueAt - b.dueAt || (a.name < b.name ? -1 : 1))
      assert.equal(fired, expected)
    }),
  )
})

test.run()
