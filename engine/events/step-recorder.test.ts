import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT_VERSIONS } from '../../schemas/types.gen.ts'
import { Chain } from '../chain/chain.ts'
import { history, play } from '../testing/arbitraries.ts'
import {
  bar,
  BOOK_ID,
  created,
  dayEnd,
  opened,
  RUN,
  settings,
  sha256,
  signal,
  started,
  stateText,
} from '../testing/fixtures.ts'
import { RecordedBook, recordedBook, verify } from '../testing/given.ts'
import { chainEvent } from './chain-event.ts'
import { decodeBody } from './envelope.ts'
import { eventId } from './ids.ts'
import { StepRecorder, stepChecksum } from './step-recorder.ts'

test('a step holds its input and its consequences, numbered on, each with its cause', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10))
  const step = book.take(signal(0, { qty: '3' }))
  assert.is(step.first, 3)
  assert.equal(
    step.events.map(({ position, type, step: of, because }) => [position, type, of, because]),
    [
      [3, 'signal.received', 3, null],
      [4, 'risk.verdict', 3, 3],
      [5, 'order.intended', 3, 4],
    ],
  )
  for (const event of step.events) {
    assert.is(event.id, eventId(RUN, event.position))
    assert.is(event.version, EVENT_VERSIONS[event.type])
    assert.is(event.at, dayEnd(0))
    assert.is(event.recordedAt, dayEnd(0) + 5)
  }
  assert.is(book.recorder.next, 6)
})

test('the trace of an input stands beside its step: nothing is decided by it, and verify passes over it', () => {
  const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const inputs = [...opened(), bar('A', 0, 10), signal(0, { qty: '3' })]
  const plain = recordedBook(...inputs)
  const traced = new RecordedBook()
  for (const { type, at, data } of inputs) {
    traced.steps.push(traced.recorder.compute(type, at, at + 5, data, undefined, TRACE))
  }
  const bodies = traced.steps.map(({ proposed }) => proposed.map(({ body }) => body))
  for (const [input, ...rest] of bodies) {
    assert.is(decodeBody({ id: 'x', position: 0, body: input! }).trace, TRACE)
    assert.not.ok(rest.some((body) => body.includes('"trace"')))
  }
  assert.not.ok(JSON.stringify(plain.steps).includes('"trace'))
  const storedTraced = traced.steps.flatMap(({ first, proposed }) =>
    proposed.map((event, index) => ({ ...event, position: first + index })),
  )
  const found = [plain.stored, storedTraced].map((stored) => verify(stored))
  assert.ok(found.every(({ ok }) => ok))
  assert.is(found[1]!.digest, found[0]!.digest)
})

test('what is proposed is what was computed, and only the last of a step has a checksum', () => {
  fc.assert(
    fc.property(history, (past) => {
      const book = new RecordedBook()
      play(past, book.chain.table, book.take)
      let next = 0
      for (const step of book.steps) {
        assert.is(step.first, next)
        next += step.events.length
        assert.is(step.proposed.length, step.events.length)
        for (const [index, proposed] of step.proposed.entries()) {
          const { id, position } = step.events[index]!
          const decoded = decodeBody({ id: proposed.id, position, body: proposed.body })
          assert.is(proposed.id, id)
          assert.is(proposed.type, decoded.type)
          assert.is(JSON.stringify(decoded), JSON.stringify(step.events[index]))
          assert.not.ok(proposed.body.includes('\n'), 'one line')
          assert.is(proposed.checksum !== null, index === step.events.length - 1)
        }
        assert.is(
          step.bytes,
          step.proposed.reduce((sum, { body }) => sum + body.length, 0),
        )
      }
      assert.is(book.recorder.next, next)
    }),
    { numRuns: 60 },
  )
})

test('checksums form a chain: each covers the one before, the first id and every body', () => {
  const book = recordedBook(...opened(), bar('A', 0, 10), signal(0, { qty: '3' }), bar('A', 1, 11))
  let previous = ''
  for (const { proposed } of book.steps) {
    const bodies = proposed.map(({ body }) => body)
    // Spelt out, so that a change of the formula, which would break every book, is seen.
    const expected = sha256(`${previous}\n${proposed[0]!.id}\n${bodies.join('\n')}`)
    assert.is(proposed.at(-1)!.checksum, expected)
    assert.is(stepChecksum(sha256, previous, proposed[0]!.id, bodies), expected)
    previous = expected
  }
})

test('the same inputs make the same bytes; another run makes other ids and checksums', () => {
  const inputs = [...opened(), bar('A', 0, 10), signal(0, { qty: '3' })]
  const book = recordedBook(...inputs)
  assert.equal(recordedBook(...inputs).stored, book.stored)
  const other = new RecordedBook('fedcba9876543210')
  for (const input of inputs) other.take(input)
  for (const [index, stored] of other.stored.entries()) {
    assert.is(stored.body, book.stored[index]!.body)
    assert.is.not(stored.id, book.stored[index]!.id)
  }
  assert.is.not(other.stored.at(-1)!.checksum, book.stored.at(-1)!.checksum)
})

test('a recorder that continues a recovered book writes what the first would have written', () => {
  const past = [...opened(), bar('A', 0, 10), signal(0, { qty: '3' })]
  const future = [bar('A', 1, 12), signal(1, { signalId: 's2', qty: '4' })]
  const whole = recordedBook(...past, ...future)
  const first = recordedBook(...past)
  const chain = new Chain()
  for (const stored of first.stored) chain.fold(chainEvent(decodeBody(stored)))
  const last = first.stored.at(-1)!
  const continued = new StepRecorder(chain, RUN, sha256, last.position + 1, last.checksum!)
  const proposed = future.flatMap(
    ({ type, at, data }) => continued.compute(type, at, at + 5, data).proposed,
  )
  assert.equal(
    proposed,
    whole.steps.slice(first.steps.length).flatMap((step) => step.proposed),
  )
  assert.is(stateText(chain.table), stateText(whole.chain.table))
})

test('an input that breaks the chain makes no step', () => {
  const book = recordedBook(created())
  const bad = started(settings({ strategies: [{ name: 'no_such', params: {} }] }))
  assert.throws(() => book.take(bad), /no_such/)
  assert.is(book.recorder.next, 1)
  assert.is(book.stored.length, 1)
  assert.is(decodeBody(book.stored[0]!).type, 'book.created')
  assert.equal((decodeBody(book.stored[0]!).data as { bookId: string }).bookId, BOOK_ID)
})

test.run()
