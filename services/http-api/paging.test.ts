import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeCursor, encodeCursor, entryKey } from './cursor.ts'
import { type FakeProjector, flaws, get, withApi } from './testing/fake-projector.ts'

type Item = Record<string, unknown>

/** Adds orders, fills and signals numbered from `from`; every third of MSFT. */
function grow(projector: FakeProjector, from: number, count: number): void {
  const { book } = projector
  if (book.events.length === 0) book.created('1000000').started().bar('AAPL', '1').bar('MSFT', '1')
  for (let id = from; id < from + count; id++) {
    const symbol = id % 3 === 0 ? 'MSFT' : 'AAPL'
    book.signal('alice', `s-${id}`, { symbol })
    if (id % 4 === 0) book.denied('operator:alice', `s-${id}`)
    else book.verdict('operator:alice', `s-${id}`, { orderIds: [id] })
    book.intended(id, { symbol })
    if (id % 2 === 0) book.filled(id, '1', '1', { symbol })
  }
  projector.fold()
}

async function walk(
  url: string,
  query: string,
  between: (page: number) => void = () => undefined,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor = ''
  for (let page = 0; page < 1000; page++) {
    const { status, body, text } = await get(`${url}?${query}${cursor}`)
    assert.is(status, 200, text)
    items.push(...(body.items as Item[]))
    if (body.next === null) return items
    cursor = `&cursor=${String(body.next)}`
    between(page)
  }
  throw new Error('the walk does not end')
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('oldest first, a walk shows every order once, those that arrive on the way too', async () => {
  await withApi(async (api, projector) => {
    grow(projector, 1, 50)
    let last = 50
    const items = await walk(`${api.url}/orders`, 'limit=7', (page) => {
      if (page >= 6) return
      grow(projector, last + 1, 3)
      last += 3
    })
    assert.equal(
      items.map(({ id }) => id),
      range(1, 68),
    )
  })
})

test('newest first, a walk shows once what was there when it began', async () => {
  await withApi(async (api, projector) => {
    grow(projector, 1, 50)
    let last = 50
    const items = await walk(`${api.url}/orders`, 'limit=7&order=desc', () => {
      grow(projector, last + 1, 5)
      last += 5
    })
    assert.equal(
      items.map(({ id }) => id),
      range(1, 50).reverse(),
    )
  })
})

test('filters by symbol and status hold on every page', async () => {
  await withApi(async (api, projector) => {
    grow(projector, 1, 60)
    const ids = async (path: string, query: string, field = 'id') =>
      (await walk(api.url + path, query)).map((item) => item[field])
    const where = (test: (id: number) => boolean): number[] => range(1, 60).filter(test)
    assert.equal(
      await ids('/orders', 'limit=4&symbol=MSFT'),
      where((id) => id % 3 === 0),
    )
    assert.equal(
      await ids('/orders', 'limit=4&symbol=MSFT&status=filled'),
      where((id) => id % 6 === 0),
    )
    assert.equal(
      await ids('/orders', 'limit=4&status=intended'),
      where((id) => id % 2 === 1),
    )
    assert.equal(await ids('/orders', 'status=expired'), [])
    assert.equal(
      await ids('/fills', 'limit=4&symbol=AAPL&order=desc', 'orderId'),
      where((id) => id % 2 === 0 && id % 3 !== 0).reverse(),
    )
    assert.equal(
      await ids('/signals', 'limit=4&status=denied', 'signalId'),
      where((id) => id % 4 === 0).map((id) => `s-${id}`),
    )
    assert.equal(await ids('/signals', 'status=pending', 'signalId'), [])
    projector.book.signal('alice', 'open')
    projector.fold()
    assert.equal(await ids('/signals', 'status=pending', 'signalId'), ['open'])
  })
})

test('positions page by symbol, either way', async () => {
  await withApi(async (api, projector) => {
    const symbols = ['AAPL', 'BRK.B', 'F', 'MSFT', 'TSLA']
    projector.book.created()
    for (const symbol of [...symbols].reverse()) projector.book.filled(1, '1', '1', { symbol })
    projector.fold()
    const walked = async (query: string) =>
      (await walk(`${api.url}/positions`, query)).map(({ symbol }) => symbol)
    assert.equal(await walked('limit=2'), symbols)
    assert.equal(await walked('limit=1&order=desc'), [...symbols].reverse())
    assert.equal(await walked('symbol=BRK.B'), ['BRK.B'])
  })
})

test('a page holds 100 items unless asked for more or fewer', async () => {
  await withApi(async (api, projector) => {
    grow(projector, 1, 501)
    const size = async (query: string) =>
      ((await get(`${api.url}/orders${query}`)).body.items as Item[]).length
    assert.equal([await size(''), await size('?limit=500'), await size('?limit=1')], [100, 500, 1])
    const full = await get(`${api.url}/orders?limit=500`)
    assert.is(flaws('order-list', full.body), '')
    const tail = await get(`${api.url}/orders?limit=500&cursor=${String(full.body.next)}`)
    assert.is((tail.body.items as Item[]).length, 1)
    assert.is(tail.body.next, null)
  })
})

test('a cursor keeps the order it was made in, and serves its own list only', async () => {
  await withApi(async (api, projector) => {
    grow(projector, 1, 9)
    const { body } = await get(`${api.url}/orders?limit=2&order=desc`)
    const cursor = String(body.next)
    const again = await get(`${api.url}/orders?limit=2&cursor=${cursor}`)
    assert.equal(
      (again.body.items as Item[]).map(({ id }) => id),
      [7, 6],
    )
    const turned = await get(`${api.url}/orders?order=asc&cursor=${cursor}`)
    assert.is(turned.status, 400)
    assert.equal((turned.body.errors as Item[])[0]?.pointer, '/query/order')
    for (const path of ['/fills', '/signals', '/positions']) {
      const foreign = await get(`${api.url}${path}?cursor=${cursor}`)
      assert.is(foreign.status, 400)
      assert.equal((foreign.body.errors as Item[])[0]?.pointer, '/query/cursor')
    }
  })
})

test('a cursor is what was given out, to the letter', () => {
  const cursor = { listing: 'orders', descending: true, key: '42' }
  const text = encodeCursor(cursor)
  assert.equal(decodeCursor(text), cursor)
  const raw = (inside: string): string => Buffer.from(inside).toString('base64url')
  const others = ['', 'x', `${text}=`, `${text}A`, text.slice(1), raw('2 orders asc 1')]
  others.push(raw('1 orders up 1'), raw('1 orders asc '), raw(`1 orders asc ${'9'.repeat(65)}`))
  // The last character has bits that no byte takes: another spelling of the same text.
  others.push(`${text.slice(0, -1)}h`)
  assert.is(Buffer.from(others.at(-1)!, 'base64url').toString(), '1 orders desc 42')
  for (const other of others) assert.is(decodeCursor(other), null, other)
  for (const key of ['', '-1', '1.5', '01', '1e3', 'NaN', '9'.repeat(16)]) {
    assert.is(entryKey(key), null, key)
  }
  assert.equal([entryKey('0'), entryKey('42')], [0, 42])
})

test.run()
