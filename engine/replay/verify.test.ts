import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredEvent } from '../ports/event-store.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  bar,
  CODE_HASH,
  created,
  dayEnd,
  fill,
  type Input,
  opened,
  settings,
  sha256,
  signal,
  started,
} from '../testing/fixtures.ts'
import { RecordedBook, recordedBook, verify } from '../testing/given.ts'
import { stepChecksum } from '../events/step-recorder.ts'
import { decisionLine, isDecision } from './decisions.ts'

const PAST: Input[] = [
  ...opened(),
  bar('A', 0, 10),
  signal(0, { qty: '3' }),
  fill(0, 1, 'buy', '3', '10'),
  bar('A', 1, 11),
  signal(1, { signalId: 's2', side: 'close' }),
  bar('A', 2, 12),
]
/** Positions: 3 signal, 4 verdict, 5 intent, 6 fill, 7 bar, 8 signal, 9 verdict, 10 intent, 11 bar. */
const BOOK = recordedBook(...PAST).stored

function altered(
  position: number,
  change: (event: StoredEvent) => Partial<StoredEvent>,
): StoredEvent[] {
  return BOOK.map((event) => (event.position === position ? { ...event, ...change(event) } : event))
}

/** Another text in a body; it must be there. */
function rewritten(position: number, from: string, to: string): StoredEvent[] {
  return altered(position, ({ body }) => {
    assert.ok(body.includes(from), `${body} has ${from}`)
    return { body: body.replace(from, to) }
  })
}

/** As a store hands events out: numbered without gaps. */
function renumbered(stored: readonly StoredEvent[]): StoredEvent[] {
  return stored.map((event, position) => ({ ...event, position }))
}

/** As somebody would who knows the formula: every checksum made anew. */
function resealed(stored: readonly StoredEvent[]): StoredEvent[] {
  let previous = ''
  let open: StoredEvent[] = []
  return stored.map((event) => {
    open.push(event)
    if (event.checksum === null) return event
    const bodies = open.map(({ body }) => body)
    previous = stepChecksum(sha256, previous, open[0]!.id, bodies)
    open = []
    return { ...event, checksum: previous }
  })
}

test('an untouched book verifies, with all it holds counted and digested', () => {
  const result = verify(BOOK)
  assert.is(result.ok, true)
  assert.is(result.faults, 0)
  assert.is(result.divergence, null)
  assert.equal(result.changed, [])
  assert.equal(result.checked, { events: 12, decisions: 4, steps: 8 })
  const lines = BOOK.map(({ body }) => JSON.parse(body))
    .filter(({ type }) => isDecision(type))
    .map(({ type, version, at, data }) => decisionLine(type, version, at, data))
  assert.is(result.digest, sha256(lines.join('')))
})

test('every history that a recorder writes verifies', () => {
  fc.assert(
    fc.property(history, (past) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const result = verify(book.stored)
      assert.is(result.divergence?.message ?? null, null)
      assert.is(result.ok, true)
      assert.is(result.checked.events, book.stored.length)
      assert.is(result.checked.steps, book.steps.length)
    }),
    { numRuns: 120 },
  )
})

test('one altered character anywhere in any body is found', () => {
  const place = fc.record({
    event: fc.nat(),
    character: fc.nat(),
    by: fc.integer({ min: 1, max: 127 }),
  })
  fc.assert(
    fc.property(history, place, (past, { event, character, by }) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      const stored = book.stored.map((one) => ({ ...one }))
      const hit = stored[event % stored.length]!
      const i = character % hit.body.length
      const other = String.fromCharCode(hit.body.charCodeAt(i) ^ by)
      hit.body = hit.body.slice(0, i) + other + hit.body.slice(i + 1)
      const result = verify(stored)
      assert.is(result.ok, false)
      assert.is(result.divergence?.kind, 'altered')
      const step = book.steps.find(
        ({ first, events }) => hit.position >= first && hit.position < first + events.length,
      )!
      const found = result.divergence!.position
      assert.ok(found >= step.first && found < step.first + step.events.length, 'in that step')
    }),
    { numRuns: 200 },
  )
})

test('every single character of a small book, replaced, is found', () => {
  const book = BOOK.slice(0, 6)
  for (const [index, event] of book.entries()) {
    for (let i = 0; i < event.body.length; i++) {
      const other = event.body[i] === '0' ? '1' : '0'
      const body = event.body.slice(0, i) + other + event.body.slice(i + 1)
      assert.is(verify(book.with(index, { ...event, body })).ok, false, body)
    }
  }
})

test('an altered decision is named, with what comes out instead and its causes', () => {
  const { divergence, faults } = verify(rewritten(5, '"qty":"3"', '"qty":"30"'))
  assert.is(faults, 1)
  assert.is(divergence?.kind, 'altered')
  assert.is(divergence?.position, 5)
  assert.is(divergence?.type, 'order.intended')
  assert.match(divergence!.message, /position 5.*checksum.*qty: recorded "30", computed "3"/)
  assert.is((divergence?.recorded?.data as { qty: string }).qty, '30')
  assert.is((divergence?.computed?.data as { qty: string }).qty, '3')
  assert.equal(
    divergence?.causes.map(({ position, type }) => [position, type]),
    [
      [4, 'risk.verdict'],
      [3, 'signal.received'],
    ],
  )
})

test('an altered clock or input is found although every decision comes out the same', () => {
  for (const [position, from, to] of [
    [3, '"signed":false', '"signed":true'],
    [7, '"high":"11"', '"high":"19"'],
    [7, '"recordedAt":', '"recordedAt":1'],
  ] as const) {
    const { divergence } = verify(rewritten(position, from, to))
    assert.is(divergence?.kind, 'altered', from)
    assert.is(divergence?.position, position)
  }
})

test('the same code that decides otherwise is a divergence, with an intact book', () => {
  const book = resealed(rewritten(10, '"side":"sell"', '"side":"buy"'))
  const { divergence, faults, ok } = verify(book)
  assert.is(ok, false)
  assert.is(faults, 1)
  assert.is(divergence?.kind, 'diverged')
  assert.is(divergence?.position, 10)
  assert.match(divergence!.message, /the same code and input decide otherwise.*side/)
  assert.equal(
    divergence?.causes.map(({ position }) => position),
    [9, 8],
  )
})

test('a consequence left out, put in, moved or blamed on another cause diverges', () => {
  // A step that ends too early: the checksum moves to the verdict.
  const short = renumbered(BOOK.filter(({ position }) => position !== 5)).map((event) =>
    event.position === 4 ? { ...event, checksum: 'x' } : event,
  )
  assert.match(
    verify(resealed(short)).divergence!.message,
    /a order\.intended follows that is not recorded/,
  )
  const twice = BOOK.flatMap((event) =>
    event.position === 5 ? [{ ...event, checksum: null }, event] : [event],
  )
  assert.match(verify(resealed(renumbered(twice))).divergence!.message, /nothing follows here/)
  assert.match(
    verify(resealed(rewritten(5, '"because":4', '"because":3'))).divergence!.message,
    /names 3 as its cause instead of 4/,
  )
  assert.match(
    verify(resealed(rewritten(5, '"at":', '"at":1'))).divergence!.message,
    /carries time 1\d+ instead of/,
  )
  const reordered = rewritten(5, '"orderId":1,"signalId":"s1"', '"signalId":"s1","orderId":1')
  assert.match(verify(resealed(reordered)).divergence!.message, /the same fields in another order/)
})

test('events swapped, as a store would number them, are found', () => {
  for (let i = 0; i < BOOK.length; i++) {
    for (let j = i + 1; j < BOOK.length; j++) {
      const stored = [...BOOK]
      ;[stored[i], stored[j]] = [stored[j]!, stored[i]!]
      assert.is(verify(renumbered(stored)).ok, false, `${i} and ${j}`)
    }
  }
})

test('a step or an event left out is found wherever it lies before the last step', () => {
  const steps = recordedBook(...PAST).steps
  for (const step of steps.slice(0, -1)) {
    const inside = (position: number) =>
      position >= step.first && position < step.first + step.events.length
    const stored = BOOK.filter(({ position }) => !inside(position))
    assert.is(verify(stored).ok, false, `step ${step.first}, with a gap`)
    assert.is(verify(renumbered(stored)).ok, false, `step ${step.first}`)
  }
  for (let i = 0; i < BOOK.length - 1; i++) {
    const stored = renumbered(BOOK.filter((_, index) => index !== i))
    assert.is(verify(stored).ok, false, `event ${i}`)
  }
})

test('a book that ends inside a step is found', () => {
  for (const end of [4, 5, 9, 10]) {
    const { ok, divergence } = verify(BOOK.slice(0, end))
    assert.is(ok, false)
    assert.is(divergence?.kind, 'altered')
    assert.match(divergence!.message, /its end is missing/)
  }
})

test('a changed checksum is found at its step, and blamed on it alone once', () => {
  for (const { position, checksum } of BOOK) {
    if (checksum === null) continue
    const other = (checksum[0] === 'a' ? 'b' : 'a') + checksum.slice(1)
    const { ok, divergence } = verify(altered(position, () => ({ checksum: other })))
    assert.is(ok, false)
    assert.is(divergence?.kind, 'altered')
    assert.ok(divergence!.position <= position)
  }
  assert.is(verify(altered(4, () => ({ checksum: 'a'.repeat(64) }))).ok, false, 'put in')
  assert.is(verify(altered(5, () => ({ checksum: null }))).ok, false, 'taken out')
})

test('another id of the first event of a step is found: a foreign append cannot pass', () => {
  for (const position of [0, 1, 2, 3, 6, 7, 8, 11]) {
    const { ok, divergence } = verify(
      altered(position, () => ({ id: BOOK[position + 1]?.id ?? 'x' })),
    )
    assert.is(ok, false)
    assert.is(divergence?.position, position)
  }
})

test('a body that is no event any more is altered, not a crash', () => {
  for (const body of ['', 'null', '{"type":"market.bar"}', BOOK[6]!.body.slice(0, -1)]) {
    const { divergence } = verify(altered(6, () => ({ body })))
    assert.is(divergence?.kind, 'altered')
    assert.is(divergence?.position, 6)
    assert.is(divergence?.recorded, null)
  }
})

test('a fill that no decimal can be read from is an altered event, not a crash', () => {
  const { divergence } = verify(rewritten(6, '"qty":"3"', '"qty":"x"'))
  assert.is(divergence?.position, 6)
  assert.match(divergence!.message, /cannot be processed: "x" is not a decimal/)
})

/** Two stretches: one by other code that sold what this code would not, one by this code. */
function twoStretches(): StoredEvent[] {
  const other = 'd'.repeat(64)
  const first = [created(), started(settings(), dayEnd(-1), other)]
  const book = recordedBook(
    ...first,
    ...PAST.slice(2),
    started(settings(), dayEnd(2)),
    bar('A', 3, 13),
  )
  return book.stored.map((event) =>
    event.position === 10
      ? { ...event, body: event.body.replace('"side":"sell"', '"side":"buy"') }
      : event,
  )
}

test('what other code decided otherwise is a change, not a failure', () => {
  const { ok, faults, changed, checked, divergence } = verify(resealed(twoStretches()))
  assert.is(ok, true)
  assert.is(faults, 0)
  assert.is(divergence, null)
  assert.equal(changed, [
    {
      codeHash: 'd'.repeat(64),
      from: 1,
      to: 11,
      steps: 7,
      differing: 1,
      first: { position: 10, type: 'order.intended' },
    },
  ])
  // The genesis, before any code has signed, and what this code wrote.
  assert.equal(checked, { events: 3, decisions: 0, steps: 3 })
})

test('altered bytes are a failure whatever code wrote them', () => {
  const { ok, divergence } = verify(twoStretches())
  assert.is(ok, false)
  assert.is(divergence?.kind, 'altered')
  assert.is(divergence?.position, 10)
})

test('a stretch of this code that looks changed under another hash is listed whole', () => {
  const { ok, changed } = verify(BOOK, { codeHash: 'e'.repeat(64) })
  assert.is(ok, true)
  assert.equal(changed, [
    { codeHash: CODE_HASH, from: 1, to: 11, steps: 7, differing: 0, first: null },
  ])
})

test('from and to limit what is compared, not what is folded', () => {
  const broken = resealed(rewritten(5, '"qty":"3"', '"qty":"30"'))
  assert.is(verify(broken, { from: 6 }).ok, true)
  assert.is(verify(broken, { to: 2 }).ok, true)
  assert.is(verify(broken, { from: 3, to: 5 }).divergence?.position, 5)
  const { checked, digest } = verify(BOOK, { from: 8, to: 10 })
  assert.equal(checked, { events: 3, decisions: 2, steps: 1 })
  assert.is(digest, verify(BOOK).digest)
})

test('a fault does not spread: the next steps are judged by what is recorded', () => {
  const twice = rewritten(5, '"qty":"3"', '"qty":"30"').map((event) =>
    event.position === 9 ? { ...event, body: event.body.replace('"qty":"3"', '"qty":"2"') } : event,
  )
  const { faults, divergence } = verify(twice)
  assert.is(faults, 2)
  assert.is(divergence?.position, 5)
})

test('an event missing inside a step, as a store with a hole hands it out, is a fault', () => {
  for (const hole of BOOK.slice(0, -1)) {
    const { ok, faults, divergence } = verify(BOOK.filter((event) => event !== hole))
    assert.is(ok, false, `position ${hole.position}`)
    assert.ok(faults >= 1)
    assert.is(divergence?.kind, 'altered')
  }
  const { divergence } = verify(BOOK.filter(({ position }) => position !== 4))
  assert.is(divergence?.position, 5)
  assert.match(divergence!.message, /position 4 should come here/)
})

test('events that come in another order are a fault', () => {
  for (let i = 0; i < BOOK.length; i++) {
    for (let j = i + 1; j < BOOK.length; j++) {
      const stored = [...BOOK]
      ;[stored[i], stored[j]] = [stored[j]!, stored[i]!]
      const { ok, divergence } = verify(stored)
      assert.is(ok, false, `${i} and ${j}`)
      assert.is(divergence?.kind, 'altered')
    }
  }
})

test('an event handed out twice is a fault', () => {
  for (const event of BOOK) {
    const twice = BOOK.flatMap((one) => (one === event ? [one, one] : [one]))
    assert.is(verify(twice).ok, false, `position ${event.position}`)
  }
})

test('after an event that cannot be processed one fault is reported, and only bytes are looked at', () => {
  const broken = rewritten(6, '"qty":"3"', '"qty":"x"')
  assert.is(verify(broken).faults, 1)
  // By whoever knows the formula too: what follows is judged by nothing.
  assert.is(verify(resealed(broken)).faults, 1)
  const more = broken.map((event) =>
    event.position === 10
      ? { ...event, body: event.body.replace('"side":"sell"', '"side":"buy"') }
      : event,
  )
  const { faults, divergence } = verify(more)
  assert.is(faults, 2, 'an altered byte further on is found all the same')
  assert.is(divergence?.position, 6)
})

test('after a body that is no event only bytes are looked at', () => {
  const cut = altered(6, ({ body }) => ({ body: body.slice(0, -1) }))
  const { faults, divergence } = verify(cut)
  assert.is(faults, 1)
  assert.is(divergence?.position, 6)
  const more = cut.map((event) =>
    event.position === 7
      ? { ...event, body: event.body.replace('"high":"11"', '"high":"12"') }
      : event,
  )
  assert.is(verify(more).faults, 2)
})

test('a stored type that is not that of the body is a fault, at every event', () => {
  for (const { position, type } of BOOK) {
    const other = type === 'market.bar' ? 'order.filled' : 'market.bar'
    const { faults, divergence } = verify(altered(position, () => ({ type: other })))
    assert.is(faults, 1)
    assert.is(divergence?.kind, 'altered')
    assert.is(divergence?.position, position)
    assert.match(divergence!.message, `it is filed as ${other}`)
  }
})

test('another id is a fault at every event that a run has signed, the first of its step or not', () => {
  for (const { position, id } of BOOK.slice(1)) {
    const other = (id[0] === 'f' ? 'e' : 'f') + id.slice(1)
    const { ok, divergence } = verify(altered(position, () => ({ id: other })))
    assert.is(ok, false, `position ${position}`)
    assert.is(divergence?.kind, 'altered')
    assert.is(divergence?.position, position)
  }
  assert.match(verify(altered(4, () => ({ id: 'x' }))).divergence!.message, /its id is not that of/)
})

test('a body that says it belongs to another step is a fault, also under a checksum made anew', () => {
  for (const [position, step] of [
    [3, 2],
    [4, 4],
    [5, 0],
    [11, 12],
  ] as const) {
    const { faults, divergence } = verify(
      resealed(
        altered(position, ({ body }) => ({ body: body.replace(/"step":\d+/, `"step":${step}`) })),
      ),
    )
    assert.is(faults, 1)
    assert.is(divergence?.kind, 'altered')
    assert.is(divergence?.position, position)
    assert.match(divergence!.message, `it says that it belongs to step ${step}`)
  }
})

test.run()
