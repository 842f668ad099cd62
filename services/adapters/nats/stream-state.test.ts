import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Anchor, assess, type StreamState } from './stream-state.ts'

const MADE = Date.UTC(2026, 0, 1)
const TAKEN = MADE + 60_000

const anchor = (sequence: number, storedAt = TAKEN): Anchor => ({ sequence, storedAt })
const state = (given: Partial<StreamState> = {}): StreamState => ({
  created: MADE,
  first: 1,
  last: 10,
  storedAtAnchor: TAKEN,
  ...given,
})
const REGRESSED = { kind: 'replaced', reason: 'stream_regressed' }
const RECREATED = { kind: 'replaced', reason: 'stream_recreated' }

const CASES: [string, Parameters<typeof assess>, object][] = [
  ['it goes on', [anchor(7), MADE, 10, state()], { kind: 'same' }],
  ['it goes on after a restart', [anchor(7), null, 0, state()], { kind: 'same' }],
  ['nothing was ever taken', [anchor(0, Number.NaN), null, 0, state()], { kind: 'same' }],
  ['made anew while it was read', [anchor(7), MADE - 1, 10, state()], RECREATED],
  [
    'made anew in between',
    [anchor(7), null, 0, state({ created: TAKEN + 2, storedAtAnchor: null })],
    RECREATED,
  ],
  [
    'made anew in between and filled beyond',
    [anchor(7), null, 0, state({ created: TAKEN + 2, storedAtAnchor: TAKEN + 60 })],
    RECREATED,
  ],
  ['a clock was set back', [anchor(7), null, 0, state({ created: TAKEN + 2 })], { kind: 'same' }],
  [
    'made when the message was stored',
    [anchor(7), null, 0, state({ created: TAKEN })],
    { kind: 'same' },
  ],
  [
    'shorter than what was taken',
    [anchor(11), null, 0, state({ storedAtAnchor: null })],
    REGRESSED,
  ],
  ['shorter than what was confirmed', [anchor(7), MADE, 11, state()], REGRESSED],
  ['filled again beyond it', [anchor(7), null, 0, state({ storedAtAnchor: TAKEN + 2 })], REGRESSED],
  [
    'times are rounded',
    [anchor(7), null, 0, state({ storedAtAnchor: TAKEN + 1 })],
    { kind: 'same' },
  ],
  [
    'the anchor itself was deleted',
    [anchor(7), null, 0, state({ storedAtAnchor: null })],
    { kind: 'same' },
  ],
  ['its front is gone', [anchor(3), MADE, 10, state({ first: 6 })], { kind: 'removed', to: 5 }],
  ['all of it is gone', [anchor(3), MADE, 10, state({ first: 11 })], { kind: 'removed', to: 10 }],
  ['only what was taken is gone', [anchor(3), MADE, 10, state({ first: 4 })], { kind: 'same' }],
  [
    'its front was gone before',
    [anchor(0, Number.NaN), null, 0, state({ first: 4 })],
    { kind: 'removed', to: 3 },
  ],
  [
    'read by time, its front may be gone',
    [anchor(0), MADE, 10, state({ first: 4 })],
    { kind: 'same' },
  ],
]

for (const [name, args, expected] of CASES) {
  test(name, () => assert.equal(assess(...args), expected))
}

test('whatever comes back, what is read is either behind the anchor or everything', () => {
  const number = fc.integer({ min: 0, max: 30 })
  fc.assert(
    fc.property(number, number, number, number, fc.boolean(), (taken, last, first, known, same) => {
      const held = state({
        first: Math.min(first, last) + 1,
        last,
        storedAtAnchor: taken > first && taken <= last ? (same ? TAKEN : TAKEN + 50) : null,
      })
      const found = assess(anchor(taken, taken === 0 ? Number.NaN : TAKEN), MADE, known, held)
      if (last < taken || last < known) assert.is(found.kind, 'replaced')
      if (found.kind === 'removed') assert.ok(found.to > taken && found.to < held.first)
      // Going on behind the anchor is right only where the stream reaches it and holds all that follows.
      if (found.kind === 'same') assert.ok(last >= taken && held.first <= taken + 1)
    }),
  )
})

test.run()
