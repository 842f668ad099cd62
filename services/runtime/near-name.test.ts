import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { editDistance, nearestName } from './near-name.ts'

test('insertions, deletions, changes and swaps count one each', () => {
  assert.is(editDistance('API_PORT', 'API_PORT'), 0)
  assert.is(editDistance('API_PROT', 'API_PORT'), 1)
  assert.is(editDistance('API_PRT', 'API_PORT'), 1)
  assert.is(editDistance('API_PPORT', 'API_PORT'), 1)
  assert.is(editDistance('APX_PORT', 'API_PORT'), 1)
  assert.is(editDistance('', 'abc'), 3)
})

test('the distance is symmetric, and zero only between equals', () => {
  const word = fc.stringMatching(/^[AB_]{0,7}$/)
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.is(editDistance(a, b), editDistance(b, a))
      assert.is(editDistance(a, b) === 0, a === b)
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length))
    }),
  )
})

test('the nearest within the limit wins, whatever its case', () => {
  const known = ['API_PORT', 'MCP_PORT', 'API_HOST']
  assert.is(nearestName('api_prot', known, 2), 'API_PORT')
  assert.is(nearestName('MCP_PORTS', known, 2), 'MCP_PORT')
  assert.is(nearestName('COMPLETELY', known, 2), undefined)
  assert.is(nearestName('API_PRXX', known, 1), undefined)
})

test.run()
