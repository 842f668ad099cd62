import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PointColumns, type PointRecord } from './point-columns.ts'

const amount = fc.oneof(
  fc.integer({ min: -1e12, max: 1e12 }),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 80n }),
)
const point = fc.record({
  time: fc.nat(),
  at: fc.nat(),
  cash: amount,
  positionValue: amount,
  peak: amount,
})
const deed = fc.oneof(
  { weight: 8, arbitrary: point.map((value) => ({ kind: 'add' as const, value })) },
  { weight: 3, arbitrary: point.map((value) => ({ kind: 'replace' as const, value })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'copy' as const }) },
)

function all(columns: PointColumns): PointRecord[] {
  return Array.from({ length: columns.size }, (_, i) => columns.at(i))
}

test('columns hold what was put in, and copies what was there then, whatever the amounts', () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), fc.nat(1100), (deeds, before) => {
      const columns = new PointColumns()
      const plain: PointRecord[] = []
      const copies: { columns: PointColumns; was: PointRecord[] }[] = []
      const add = (value: Omit<PointRecord, 'entry'>): void => {
        const entry = 3 * plain.length
        columns.add({ entry, ...value })
        plain.push({ entry, ...value })
      }
      // Begin near the edge of a block as well as far from it.
      for (let i = 0; i < before; i++) add({ time: i, at: i, cash: i, positionValue: -i, peak: i })
      for (const one of deeds) {
        if (one.kind === 'copy') copies.push({ columns: columns.copy(), was: [...plain] })
        else if (one.kind === 'add') add(one.value)
        else if (plain.length > 0) {
          const { entry } = plain[plain.length - 1]!
          plain[plain.length - 1] = { entry, ...one.value }
          columns.replaceLast({ entry, ...one.value })
        }
      }
      assert.equal(all(columns), plain)
      for (const copy of copies) {
        assert.equal(all(copy.columns), copy.was)
        copy.columns.add({ entry: 1e9, time: 1, at: 1, cash: 1, positionValue: 1, peak: 1 })
        assert.is(copy.columns.size, copy.was.length + 1)
      }
      assert.equal(all(columns), plain)
    }),
    { numRuns: 60 },
  )
})

test('a walk page by page shows every point once, from either end', () => {
  const columns = new PointColumns()
  const entries: number[] = []
  for (let i = 0; i < 1300; i++) {
    entries.push(i * 2 + 1)
    columns.add({ entry: i * 2 + 1, time: i, at: i, cash: 0, positionValue: 0, peak: 0 })
  }
  for (const descending of [false, true]) {
    const seen: number[] = []
    let after: number | null = null
    for (let more = true; more; ) {
      const page = columns.page({ limit: 99, after, descending })
      seen.push(...page.items.map(({ entry }) => entry))
      after = page.items.at(-1)!.entry
      more = page.more
    }
    assert.equal(seen, descending ? [...entries].reverse() : entries)
  }
  assert.equal(columns.page({ limit: 1, after: 4, descending: false }).items[0]?.entry, 5)
  assert.equal(columns.page({ limit: 1, after: 4, descending: true }).items[0]?.entry, 3)
  assert.equal(new PointColumns().page({ limit: 5, after: null, descending: true }).items, [])
  assert.throws(() => columns.at(1300), /no point/)
})

test.run()
