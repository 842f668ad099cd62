import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  childOf,
  formatTraceparent,
  parseTraceparent,
  spanIdOf,
  traceIdOf,
  traceOf,
} from './traceparent.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test('a traceparent is read as the standard has it', () => {
  const context = { traceId: TRACE, spanId: SPAN, sampled: true }
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-01`), context)
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-00`), { ...context, sampled: false })
  // Flags that nobody knows yet do not hide the one that is known; later versions may say more.
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-03`), context)
  assert.equal(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-next`), context)
})

test('what is none begins no trace of somebody else', () => {
  const wrong = [
    '',
    undefined,
    7,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01\n`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`,
  ]
  for (const text of wrong) assert.is(parseTraceparent(text), null, String(text))
  assert.is(traceOf({}), undefined)
  assert.is(traceOf({ traceparent: 'x' }), undefined)
  assert.is(traceOf({ traceparent: `cc-${TRACE}-${SPAN}-03-y` }), `00-${TRACE}-${SPAN}-01`)
})

test('what is written is read back, and no text makes it fail', () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''))
      .filter((text) => /[^0]/.test(text))
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
      const context = { traceId, spanId, sampled }
      assert.equal(parseTraceparent(formatTraceparent(context)), context)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const context = parseTraceparent(text)
      if (context !== null) assert.match(formatTraceparent(context), text.slice(3, 52))
    }),
  )
})

test('ids of events are always the same, and those of different deeds are not', () => {
  assert.is(traceIdOf('a'), traceIdOf('a'))
  assert.match(traceIdOf('a'), /^[0-9a-f]{32}$/)
  assert.match(spanIdOf('a'), /^[0-9a-f]{16}$/)
  const ids = [spanIdOf('a'), spanIdOf('b'), spanIdOf('a', 'publish')]
  assert.is(new Set(ids).size, 3)
})

test('a child stays in the trace and under its sampling', () => {
  const parent = { traceId: TRACE, spanId: SPAN, sampled: false }
  const child = childOf(parent)
  assert.is(child.traceId, TRACE)
  assert.is(child.sampled, false)
  assert.is.not(child.spanId, SPAN)
  assert.is.not(childOf(null).traceId, childOf(null).traceId)
})

test.run()
