import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'
import { sha256 } from '../testing/fixtures.ts'
import { DecisionDigest, decisionLine, isDecision } from './decisions.ts'

test('signals of strategies, verdicts and intents are decisions, and nothing else', () => {
  const types = Object.keys(EVENT_VERSIONS) as EventType[]
  assert.equal(types.filter(isDecision).toSorted(), [
    'order.intended',
    'risk.verdict',
    'signal.raised',
  ])
})

test('a line is JSON with type, version, time and data, in this order', () => {
  const line = decisionLine('signal.raised', 1, 5, { b: 'ü"', a: null })
  assert.is(line, '{"type":"signal.raised","version":1,"at":5,"data":{"b":"ü\\"","a":null}}\n')
  assert.equal(JSON.parse(line), {
    type: 'signal.raised',
    version: 1,
    at: 5,
    data: { b: 'ü"', a: null },
  })
})

test('the digest is the sha256 of all lines, however they are gathered', () => {
  for (const [count, length] of [
    [0, 0],
    [1, 10],
    [10, 70_000],
    [5000, 50],
  ] as const) {
    const digest = new DecisionDigest(createHash('sha256'))
    const lines = Array.from({ length: count }, (_, i) => `${i} ${'é'.repeat(length)}\n`)
    for (const line of lines) digest.add(line)
    assert.is(digest.count, count)
    assert.is(digest.finish(), sha256(lines.join('')))
  }
})

test('the hash is called once in a while, not once a line', () => {
  let calls = 0
  const hash = createHash('sha256')
  const counting = {
    update(text: string) {
      calls++
      return hash.update(text)
    },
    digest: (encoding: 'hex') => hash.digest(encoding),
  }
  const digest = new DecisionDigest(counting)
  for (let i = 0; i < 10_000; i++) digest.add('0123456789012345678901234567890123456789\n')
  digest.finish()
  assert.ok(calls > 1 && calls < 10, `${calls} calls`)
})

test.run()
