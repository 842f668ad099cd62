import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ProposedEvent, StoredEvent } from '../../engine/ports/event-store.ts'
import { created, type Input } from '../../engine/testing/fixtures.ts'
import { type AuditResult, BookAudit, type Witness } from './book-audit.ts'
import { BOOK, rechained, SampleBook } from './testing/sample-book.ts'

const sample = () => new SampleBook().bars(30).restart().bars(30)
const WHOLE = sample()
const EVENTS = WHOLE.events

function audit(events: readonly StoredEvent[], witnesses: readonly Witness[] = []): AuditResult {
  const found = new BookAudit(witnesses)
  for (const event of events) found.feed(event)
  return found.finish()
}

const placed = (steps: readonly (readonly ProposedEvent[])[]): StoredEvent[] =>
  steps.flat().map((event, position) => ({ ...event, position }))

/** The ends of all steps, as anchors. */
const ANCHORS = EVENTS.filter(({ checksum }) => checksum !== null).map(
  ({ position, checksum }) => ({
    bookId: BOOK,
    position,
    checksum: checksum!,
    at: '2026-01-01T00:00:00.000Z',
  }),
)

test('a book as it was written is sound, and its end is told', () => {
  const result = audit(EVENTS, ANCHORS)
  assert.is(result.fault, null)
  assert.ok(result.ok)
  assert.is(result.bookId, BOOK)
  assert.is(result.events, EVENTS.length)
  assert.is(result.steps, WHOLE.steps.length)
  assert.is(result.runs, 2)
  assert.is(result.anchors, ANCHORS.length)
  const last = EVENTS[EVENTS.length - 1]!
  assert.is(result.head?.position, last.position)
  assert.is(result.head?.checksum, last.checksum)
  assert.is(result.head?.recordedAt, JSON.parse(last.body).recordedAt)
  assert.ok(
    WHOLE.steps.some((step) => step.length > 2),
    'some steps have consequences',
  )
})

test('nothing at all is an empty book, and no fault', () => {
  const result = audit([])
  assert.ok(result.ok)
  assert.is(result.head, null)
  assert.is(result.bookId, null)
})

test('whatever is changed anywhere is found', () => {
  const index = fc.nat(EVENTS.length - 1)
  const other = (text: string, at: number) => {
    const place = at % text.length
    const code = text.charCodeAt(place) === 0x7a ? 'y' : 'z'
    return text.slice(0, place) + code + text.slice(place + 1)
  }
  const changes: ((events: StoredEvent[], i: number, n: number) => StoredEvent[] | null)[] = [
    (events, i, n) => events.with(i, { ...events[i]!, body: other(events[i]!.body, n) }),
    (events, i, n) => events.with(i, { ...events[i]!, id: other(events[i]!.id, n) }),
    (events, i, n) => events.with(i, { ...events[i]!, type: other(events[i]!.type, n) }),
    (events, i, n) => {
      const { checksum } = events[i]!
      return checksum === null
        ? events.with(i, { ...events[i]!, checksum: 'a'.repeat(64) })
        : events.with(i, { ...events[i]!, checksum: n % 2 === 0 ? null : other(checksum, n) })
    },
    // Removed, with and without a hole in the positions; not the last step, which only an anchor shows.
    (events, i) => (i >= EVENTS.length - 6 ? null : events.toSpliced(i, 1)),
    (events, i) =>
      i >= EVENTS.length - 6
        ? null
        : events.toSpliced(i, 1).map((event, position) => ({ ...event, position })),
    (events, i) => events.toSpliced(i, 0, events[i]!),
    (events, i, n) => {
      const j = n % events.length
      if (i === j) return null
      return events.with(i, { ...events[j]!, position: i }).with(j, { ...events[i]!, position: j })
    },
    // A step and all before it fall away.
    (events, i) => (i === 0 ? null : events.slice(i)),
  ]
  const seen = changes.map(() => 0)
  fc.assert(
    fc.property(index, fc.nat(10_000), fc.nat(changes.length - 1), (i, n, which) => {
      const changed = changes[which]!([...EVENTS], i, n)
      if (changed === null) return
      seen[which]!++
      const result = audit(changed)
      assert.not.ok(result.ok, `change ${which} at ${i}`)
      assert.is(result.fault?.kind, 'altered')
    }),
    { numRuns: 600 },
  )
  assert.ok(
    seen.every((count) => count > 5),
    seen.join(),
  )
})

test('a forger who makes the checksums anew is found by what stands beside the bodies', () => {
  const forge = (change: (steps: ProposedEvent[][]) => ProposedEvent[][]) =>
    audit(placed(rechained(change(sample().steps))))
  const body = (step: ProposedEvent[], at: number, from: RegExp | string, to: string) =>
    step.map((event, i) => (i === at ? { ...event, body: event.body.replace(from, to) } : event))
  assert.ok(forge((steps) => steps).ok, 'the same checksums come out')

  const filed = forge((steps) =>
    steps.with(9, [{ ...steps[9]![0]!, type: 'timer.fired' }, ...steps[9]!.slice(1)]),
  )
  assert.match(filed.fault!.message, /market\.bar at \d+ is filed as timer\.fired/)
  const stepped = forge((steps) => steps.with(9, body(steps[9]!, 0, /"step":\d+/, '"step":3')))
  assert.match(stepped.fault!.message, 'belongs to step 3')
  const late = forge((steps) => steps.with(9, body(steps[9]!, 0, /"at":\d+/, '"at":5')))
  assert.match(late.fault!.message, 'engine time goes back')
  const shapeless = forge((steps) => steps.with(9, body(steps[9]!, 0, /.*/s, '{"type":7}')))
  assert.match(shapeless.fault!.message, 'is not an event')
  // Parsed where the front is not as we print it, and sound all the same.
  const spaced = forge((steps) => steps.with(9, body(steps[9]!, 0, '"version":', '"version": ')))
  assert.ok(spaced.ok, spaced.fault?.message)

  const dropped = forge((steps) => steps.toSpliced(9, 1))
  assert.match(dropped.fault!.message, /the (id|event) at \d+/)
  const run = forge((steps) =>
    steps.with(1, body(steps[1]!, 0, /"run":"\w+"/, `"run":"${'b'.repeat(16)}"`)),
  )
  assert.match(run.fault!.message, 'is not that of its run')
  const alien = forge((steps) =>
    steps.with(9, [
      { ...steps[9]![0]!, id: steps[9]![0]!.id.replace(/^./, 'f') },
      ...steps[9]!.slice(1),
    ]),
  )
  assert.match(alien.fault!.message, 'is not that of its run and position')
  const genesis = forge((steps) =>
    steps.with(0, [{ ...steps[0]![0]!, id: steps[0]![0]!.id.replace(/^./, 'f') }]),
  )
  assert.match(genesis.fault!.message, 'another run than the first')
  const nameless = forge((steps) =>
    steps.with(0, body(steps[0]!, 0, /"bookId":"\w+"/, '"bookId":7')),
  )
  assert.match(nameless.fault!.message, 'the book has no id')
})

test('a book begins once, and with its creation', () => {
  const twice = new SampleBook().bars(3)
  twice.input({ ...created(), at: 1e13 } as Input)
  const result = audit(twice.events)
  assert.match(
    result.fault!.message,
    /book\.created at \d+: a book begins with book\.created, once/,
  )
  const [first, ...rest] = sample().steps
  const { body, ...event } = first![0]!
  const renamed = {
    ...event,
    type: 'timer.fired',
    body: body.replace('book.created', 'timer.fired'),
  }
  const none = audit(placed(rechained([[renamed], ...rest])))
  assert.match(none.fault!.message, /timer\.fired at 0: a book begins/)
})

test('a clean cut is sound in itself; an anchor of any later step shows it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: WHOLE.steps.length - 1 }),
      fc.nat(ANCHORS.length - 1),
      (kept, which) => {
        const cut = placed(WHOLE.steps.slice(0, kept))
        assert.ok(audit(cut).ok)
        const anchor = ANCHORS[which]!
        const result = audit(cut, [anchor])
        if (anchor.position < cut.length) {
          assert.ok(result.ok)
          return
        }
        assert.not.ok(result.ok)
        assert.equal(result.fault, {
          kind: 'cut',
          position: cut.length,
          message: `the book ends at ${cut.length - 1}, and the anchor of 2026-01-01T00:00:00.000Z has seen it up to ${anchor.position}: its end was cut off, or it is an older copy`,
        })
        assert.is(audit(cut, [{ checksum: anchor.checksum }]).fault?.kind, 'cut')
      },
    ),
  )
  const open = EVENTS.slice(0, EVENTS.findIndex(({ checksum }) => checksum === null) + 1)
  assert.match(audit(open).fault!.message, 'its end is missing')
})

test('an anchor of another past, of another book or inside a step does not fit', () => {
  const anchor = ANCHORS[20]!
  const past = audit(EVENTS, [{ ...anchor, checksum: 'e'.repeat(64) }])
  assert.is(past.fault?.kind, 'cut')
  assert.match(past.fault!.message, 'another past was seen than the book holds')
  const foreign = audit(EVENTS, [{ ...anchor, bookId: 'bother' }])
  assert.match(foreign.fault!.message, /belongs to book bother, not b1/)
  const inside = EVENTS.find(({ checksum }) => checksum === null)!
  const within = audit(EVENTS, [{ ...anchor, position: inside.position }])
  assert.match(within.fault!.message, 'none of the book ends there')
  assert.ok(audit(EVENTS, [{ checksum: anchor.checksum }]).ok)
  const unknown = audit(EVENTS, [{ checksum: 'e'.repeat(64) }])
  assert.match(unknown.fault!.message, `no step of the book has checksum ${'e'.repeat(64)}`)
  // Every fault is counted, the first is told.
  const both = audit(EVENTS.toSpliced(5, 1), [{ checksum: 'e'.repeat(64) }])
  assert.ok(both.faults >= 2)
  assert.is(both.fault?.kind, 'altered')
})

test.run()
