import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KnownIds } from './known-ids.ts'

const id = fc.oneof(
  fc
    .tuple(fc.constantFrom('b1-', 'b2-', '-', ''), fc.integer({ min: 0, max: 30 }))
    .map(([p, n]) => `${p}${n}`),
  fc.constantFrom('', 'x', 'b1-007', 'b1-9999999999999999', 'b1-1e3', 'two\nlines-3'),
)

test('it knows exactly what was added, also after a snapshot through JSON', () => {
  fc.assert(
    fc.property(fc.array(id), fc.array(id), fc.nat(), (added, asked, cut) => {
      let known = new KnownIds()
      const model = new Set<string>()
      for (const [index, one] of added.entries()) {
        if (index === cut % (added.length + 1)) {
          const copy = new KnownIds()
          copy.restore(JSON.parse(JSON.stringify(known.snapshot())))
          known = copy
        }
        known.add(one)
        model.add(one)
        assert.is(known.size, model.size)
      }
      for (const one of [...added, ...asked]) assert.is(known.has(one), model.has(one))
    }),
  )
})

test('a long run of numbers costs nothing, in whatever order they end', () => {
  const known = new KnownIds()
  for (let n = 1; n <= 1000; n += 2) known.add(`b-${n}`)
  for (let n = 2; n <= 1000; n += 2) known.add(`b-${n}`)
  assert.equal(known.snapshot(), { numbered: [['b-', 1000, []]], others: [] })
  assert.not(known.has('b-1001'))
  assert.ok(known.has('b-1'))
})

test.run()
