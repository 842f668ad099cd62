import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BOOK_ID, dayEnd, opened, settings, started } from '../testing/fixtures.ts'
import { Given, given } from '../testing/given.ts'

test('the genesis gives the book its identity, the start its settings', () => {
  const { table } = given(...opened({ symbols: ['A'] }))
  assert.is(table.settings.bookId, BOOK_ID)
  assert.is(table.settings.account, 'test')
  assert.equal(table.settings.settings, settings({ symbols: ['A'] }))
  assert.is(table.settings.version, 1)
  assert.is(new Given().table.settings.settings, null)
})

test('the version counts changes, not starts', () => {
  const chain = given(...opened())
  const versions = [
    settings(),
    settings({ symbols: ['A'] }),
    settings({ symbols: ['A'] }),
    settings(),
  ].map((one) => chain.and(started(one, dayEnd(0))).table.settings.version)
  assert.equal(versions, [1, 2, 2, 3])
})

test.run()
