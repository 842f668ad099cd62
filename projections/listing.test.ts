import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Entry, Listing } from './listing.ts'

interface Item extends Entry {
  even: boolean
}

function listing(entries: readonly number[]): Listing<Item> {
  const list = new Listing<Item>()
  for (const entry of entries) add(list, entry)
  return list
}

function add(list: Listing<Item>, entry: number): void {
  list.add({ entry, symbol: SYMBOLS[entry % 3]!, even: entry % 2 === 0 })
}

const SYMBOLS = ['A', 'B', null]

test('entries must rise', () => {
  const list = listing([3])
  assert.throws(() => add(list, 3), /entry 3 does not lie behind 3/)
  assert.throws(() => add(list, 2), /entry 2 does not lie behind 3/)
  assert.is(list.size, 1)
})

test('a page says whether more follows, to the item', () => {
  const list = listing([1, 2, 3])
  const page = (limit: number) => list.page({ limit, after: null, descending: false }).more
  assert.equal([page(2), page(3), page(4)], [true, false, false])
})

test('a symbol nobody traded, and an empty listing, are empty pages', () => {
  const query = { limit: 10, after: null, descending: true }
  assert.equal(listing([1]).page({ ...query, symbol: 'ZZZ' }), { items: [], more: false })
  assert.equal(listing([]).page(query), { items: [], more: false })
})

test('a walk shows each item exactly once, while new ones are added', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 60 })
  const query = fc.record({
    limit: fc.integer({ min: 1, max: 7 }),
    descending: fc.boolean(),
    symbol: fc.constantFrom(undefined, 'A', 'B'),
    even: fc.boolean(),
  })
  fc.assert(
    fc.property(gaps, query, fc.integer({ min: 0, max: 3 }), (steps, asked, growth) => {
      let last = 0
      const entries = steps.map((gap) => (last += gap))
      const list = listing(entries)
      const wanted = (entry: number): boolean =>
        (asked.symbol === undefined || SYMBOLS[entry % 3] === asked.symbol) &&
        (!asked.even || entry % 2 === 0)
      const seen: number[] = []
      let after: number | null = null
      let pages = 0
      for (;;) {
        const page: { items: Item[]; more: boolean } = list.page({
          limit: asked.limit,
          descending: asked.descending,
          after,
          ...(asked.symbol !== undefined && { symbol: asked.symbol }),
          ...(asked.even && { matches: (item: Item) => item.even }),
        })
        assert.ok(page.items.length <= asked.limit)
        seen.push(...page.items.map(({ entry }) => entry))
        if (!page.more) break
        after = page.items.at(-1)!.entry
        // Only a walk of the first pages sees growth, or it would never end.
        for (let i = 0; pages < 5 && i < growth; i++) {
          last++
          add(list, last)
          if (!asked.descending) entries.push(last)
        }
        pages++
      }
      const expected = entries.filter(wanted)
      assert.equal(seen, asked.descending ? expected.reverse() : expected)
    }),
    { numRuns: 500 },
  )
})

test.run()
