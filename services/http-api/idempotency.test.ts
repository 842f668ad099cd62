import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Underway } from './commands.ts'
import { controlId } from './send-control.ts'
import { get } from './testing/fake-projector.ts'
import { post, problem, SIGNAL, withOutbox } from './testing/outbox.ts'

const key = (value: string) => ({ 'idempotency-key': value })
const DAY_MS = 86_400_000

test('whatever differs in a signal is another request, whatever is written otherwise is not', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const url = `${api.url}/signals/manual`
    assert.is((await post(`${url}?wait=5s`)).status, 200)
    const others = [
      { type: 'limit', limitPrice: '5' },
      { timeInForce: 'gtc' },
      { validFor: 'PT2M' },
      { confidence: 0.5 },
      { takeProfit: '500' },
      { stopLoss: '5' },
      { trailPercent: '5' },
      { reason: 'why' },
      { side: 'sell' },
      { symbol: 'MSFT' },
    ]
    for (const change of others) {
      problem(await post(url, { ...SIGNAL, ...change }), 422, 'key-reused')
    }
    const same = [
      { type: 'market' },
      { timeInForce: 'day' },
      { validFor: 'PT60S' },
      { symbol: ' aapl ' },
    ]
    for (const change of same) assert.is((await post(url, { ...SIGNAL, ...change })).status, 200)
    assert.is(outbox.sent.length, 1)
  })
})

test('a key that is stored and not yet in the book is known all the same', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    outbox.take = () => undefined
    const url = `${api.url}/signals/manual`
    const first = await post(url)
    const again = await post(url)
    assert.equal([again.status, again.body], [202, first.body])
    problem(await post(url, { ...SIGNAL, qty: '11' }), 422, 'key-reused')
    const halt = await post(`${api.url}/control/halt`, { reason: 'a' })
    assert.is(halt.status, 202)
    problem(await post(`${api.url}/control/halt`, { reason: 'b' }), 422, 'key-reused')
    assert.is(outbox.sent.length, 2)
  })
})

test('what is under way is forgotten after a minute, a failure at once', async () => {
  let now = 0
  let sent = 0
  const underway = new Underway(() => now)
  const send = async () => ({ stream: 'INBOX', sequence: ++sent })
  await underway.run('k', 'a', send)
  await underway.run('k', 'a', send)
  assert.is(sent, 1)
  assert.throws(() => underway.run('k', 'b', send), /came with another request/)
  now = 60_001
  await underway.run('k', 'b', send)
  assert.is(sent, 2)
  const fail = () => Promise.reject(new Error('no'))
  await underway.run('f', 'a', fail).catch(() => undefined)
  await underway.run('f', 'b', send)
  assert.is(sent, 3)
})

test('the signal of another that looks like the key does not answer for it', async () => {
  await withOutbox(async (api, projector, outbox) => {
    const { book } = projector
    // Ids that others chose so that their full names read like ours.
    book.signal('mallory', 'operator:api:k-1').verdict('operator:mallory', 'operator:api:k-1')
    book.signal('operator', 'api:k-1').verdict('operator:operator', 'api:k-1')
    // The verdict on a control is no answer to a signal of that id.
    book.verdict('operator:api', 'k-1')
    await projector.write()
    const answer = await post(`${api.url}/signals/manual?wait=5s`)
    assert.equal([answer.status, answer.body.kind], [200, 'manual'], answer.text)
    assert.equal([answer.body.verdict, answer.body.source], ['denied', 'operator:api'])
    assert.is(outbox.sent.length, 1)
  })
})

test('what was refused at the door keeps its key, and another request with it is refused', async () => {
  await withOutbox(async (api, projector, outbox) => {
    const storedAt = new Date().toISOString()
    const payload = JSON.stringify(SIGNAL)
    const of = { operator: 'api', signalId: 'k-1', storedAt, payload }
    projector.book.refused('signature_required', of)
    await projector.write()
    const url = `${api.url}/signals/manual`
    const answer = await post(url)
    assert.equal([answer.status, answer.body.code], [200, 'signature_required'], answer.text)
    problem(await post(url, { ...SIGNAL, qty: '11' }), 422, 'key-reused')
    assert.is(outbox.sent.length, 0)
  })
})

test('after seven days a key is new again, as for the engine', async () => {
  await withOutbox(async (api, projector, outbox) => {
    const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()
    const { book } = projector
    const terms = { timeInForce: 'day' as const }
    book.signal('api', 'old', { ...terms, storedAt: ago(7.01) }).denied('operator:api', 'old')
    book.signal('api', 'new', { ...terms, storedAt: ago(6.99) }).denied('operator:api', 'new')
    const control = { action: 'halt' as const, actor: 'api', reason: 'r' }
    book.add('control.received', { ...control, controlId: 'api:old', storedAt: ago(7.01) })
    book.add('control.received', { ...control, controlId: 'api:new', storedAt: ago(6.99) })
    await projector.write()
    const statuses = []
    for (const name of ['old', 'new']) {
      statuses.push((await post(`${api.url}/signal`, SIGNAL, key(name))).status)
      const halt = await post(`${api.url}/control/halt`, { reason: 'r' }, key(name))
      statuses.push(halt.status)
    }
    assert.equal(statuses, [202, 202, 200, 200])
    assert.is(outbox.sent.length, 2)
  })
})

test('a control with the same key and another body is refused, and one of another caller is its own', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    const url = `${api.url}/control/replace-order`
    const body = { reason: 'r', orderId: 1, qty: '5' }
    const taken = await post(`${url}?wait=5s`, body)
    assert.is(taken.status, 200, taken.text)
    assert.equal([taken.body.verdict, taken.body.code], ['denied', 'max_position'])
    problem(await post(url, { ...body, qty: '6' }), 422, 'key-reused')
    problem(await post(url, { ...body, reason: 's' }), 422, 'key-reused')
    assert.is((await post(url, body)).status, 200)
    // Another action is another request.
    assert.is((await post(`${api.url}/control/halt`, { reason: 'r' })).status, 202)
    assert.is(outbox.sent.length, 2)
  })
  assert.is.not(controlId('ana', 'k'), controlId('bob', 'k'))
  const long = controlId('a'.repeat(64), 'k'.repeat(128))
  assert.ok(long.length <= 128)
  assert.is.not(long, controlId('a'.repeat(64), `${'k'.repeat(127)}l`))
})

test('a DELETE that is repeated with its key is answered as the first, also when the order has ended', async () => {
  await withOutbox(async (api, projector, outbox) => {
    projector.book.intended(1).accepted(1)
    await projector.write()
    const remove = () => get(`${api.url}/orders/1`, { method: 'DELETE', headers: key('d') })
    assert.is((await remove()).status, 202)
    assert.is((await remove()).status, 202)
    assert.is(outbox.sent.length, 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    projector.book.ended(1, 'canceled', 'cancel_requested', 'on request')
    await projector.write()
    const done = await remove()
    assert.equal([done.status, done.body.status], [200, 'canceled'], done.text)
    assert.is(outbox.sent.length, 1)
  })
})

test('what contradicts itself is refused before it is sent, with its pointer', async () => {
  await withOutbox(async (api, _projector, outbox) => {
    outbox.faults = ['/notional must be left out where /qty is given', '/a, /b and /c go together']
    const answer = await post(`${api.url}/signals/manual`)
    problem(answer, 400, 'invalid-request')
    assert.equal(answer.body.errors, [
      { pointer: '/notional', detail: 'must be left out where /qty is given' },
      { pointer: '/a', detail: '/b and /c go together' },
    ])
    assert.is(outbox.sent.length, 0)
  })
})

test.run()
