import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hasColor, outputWidth, styled, table, wrap } from './output.ts'

const NARROW = fc.integer({ min: 20, max: 120 })
const TEXT = fc
  .array(fc.stringMatching(/^[a-z0-9]{1,50}$/), { maxLength: 12 })
  .map((words) => words.join(' '))

test('no line of a table is wider than the terminal, and no letter is lost', () => {
  const rows = fc.array(fc.tuple(fc.stringMatching(/^[A-Z][a-z]{0,15}$/), TEXT), {
    minLength: 1,
    maxLength: 8,
  })
  fc.assert(
    fc.property(rows, NARROW, (cells, width) => {
      const text = table(cells, width, false)
      for (const line of text.split('\n')) assert.ok(line.length <= width, `${line.length}`)
      const letters = (value: string) => value.replaceAll(/\s/g, '')
      assert.is(letters(text), letters(cells.flat().join('')))
    }),
  )
})

test('without a width a value stays on its line', () => {
  const text = table(
    [
      ['A', 'x '.repeat(200).trim()],
      ['Long', 'y'],
    ],
    Number.POSITIVE_INFINITY,
    false,
  )
  assert.is(text.split('\n').length, 2)
  assert.match(text, /^Long {2}y$/m)
})

test('wrap breaks at spaces, and cuts a word only when it has to', () => {
  assert.equal(wrap('one two three', 7), ['one two', 'three'])
  assert.equal(wrap('abcdefgh ij', 4), ['abcd', 'efgh', 'ij'])
  assert.equal(wrap('', 4), [''])
})

test('the width is that of COLUMNS, else of the terminal, else none', () => {
  assert.is(outputWidth({ isTTY: true, columns: 90 }, { COLUMNS: '40' }), 40)
  assert.is(outputWidth({ isTTY: true, columns: 90 }, { COLUMNS: 'wide' }), 90)
  assert.is(outputWidth({ isTTY: true, columns: 5 }, {}), 20)
  assert.is(outputWidth({ columns: 90 }, {}), Number.POSITIVE_INFINITY)
})

test('colours are for terminals without NO_COLOR', () => {
  assert.is(hasColor({ isTTY: true }, {}), true)
  assert.is(hasColor({ isTTY: true }, { NO_COLOR: '1' }), false)
  assert.is(hasColor({ isTTY: true }, { TERM: 'dumb' }), false)
  assert.is(hasColor({}, {}), false)
  assert.is(styled('x', 'red', true), '\u001b[31mx\u001b[0m')
  assert.is(styled('x', 'red', false), 'x')
})

test.run()
