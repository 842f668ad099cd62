import { connect } from 'node:net'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Closing } from './closing.ts'
import { FakeProjector, flaws, get, withApi } from './testing/fake-projector.ts'

interface Frame {
  id: number
  event: string
  body: Record<string, unknown>
}

/** A client of the stream that reads until it has enough, or is told to stop. */
class Client {
  readonly frames: Frame[] = []
  /** Position that the client would go on behind. */
  lastId: number | null = null
  readonly ended: Promise<void>
  readonly #abort = new AbortController()
  #wake = (): void => undefined

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ended = this.#read(url, headers).catch(() => undefined)
  }

  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve
        }),
        this.ended.then(() => {
          throw new Error('the stream ended')
        }),
      ])
    }
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.ended
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    const response = await fetch(url, { headers, signal: this.#abort.signal })
    assert.is(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', 'text/event-stream')
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const parts = text.split('\n\n')
      text = parts.pop()!
      for (const part of parts) this.#take(part)
      this.#wake()
    }
  }

  #take(part: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1]
    const id = field('id')
    if (id !== undefined) this.lastId = Number(id)
    const data = field('data')
    if (data === undefined) return
    this.frames.push({ id: Number(id), event: field('event') ?? '', body: JSON.parse(data) })
  }
}

function ids(client: Client): number[] {
  return client.frames.map(({ id }) => id)
}

async function grow(projector: FakeProjector, count: number): Promise<void> {
  if (projector.book.events.length === 0) projector.book.created().started()
  for (let i = 0; i < count; i++) {
    projector.book.at += 1000
    projector.book.bar(i % 2 === 0 ? 'AAPL' : 'MSFT', '10', projector.book.at)
  }
  await projector.write()
}

test('from a position: the past, then what is new, each as the book has it', async () => {
  await withApi(async (api, projector) => {
    await grow(projector, 10)
    const client = new Client(`${api.url}/stream?from=3`)
    await client.until(() => client.frames.length === 9)
    await grow(projector, 5)
    await client.until(() => client.frames.length === 14)
    assert.equal(
      ids(client),
      Array.from({ length: 14 }, (_, i) => i + 3),
    )
    for (const { id, event, body } of client.frames) {
      assert.equal([body.position, body.type], [id, event])
      assert.is(flaws('event-body', body), '')
    }
    await client.close()
  })
})

test('with neither a position nor an id only what is new is sent', async () => {
  await withApi(async (api, projector) => {
    await grow(projector, 3)
    const client = new Client(`${api.url}/stream`)
    await get(`${api.url}/livez`)
    for (let i = 0; client.frames.length === 0 && i < 100; i++) {
      await grow(projector, 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.ok(ids(client)[0]! > 4)
    await client.close()
  })
})

test('a client that breaks off and comes back misses nothing and sees nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 6 }),
      fc.constantFrom('', '&symbol=AAPL', '&types=market.bar'),
      async (rounds, filter) => {
        await withApi(async (api, projector) => {
          await grow(projector, 1)
          const seen: number[] = []
          let last: number | null = null
          for (const [index, count] of rounds.entries()) {
            const from = last === null ? '?from=0' : '?'
            const headers: Record<string, string> =
              last === null ? {} : { 'last-event-id': String(last) }
            const client: Client = new Client(`${api.url}/stream${from}${filter}`, headers)
            // Some are in the book when it comes, some come while it listens.
            await grow(projector, count)
            await grow(projector, 2)
            const least = index === rounds.length - 1 ? projector.position() - 1 : (last ?? 0) + 1
            await client.until(() => (client.lastId ?? -1) >= least)
            await client.close()
            seen.push(...ids(client))
            last = client.lastId
          }
          const expected = projector.book.events.filter(({ type, data, position }) => {
            if (position > last!) return false
            if (filter.includes('symbol')) return (data as { symbol?: string }).symbol === 'AAPL'
            return filter === '' || type === 'market.bar'
          })
          assert.equal(
            seen,
            expected.map(({ position }) => position),
          )
        })
      },
    ),
    { numRuns: 15 },
  )
})

test('what the filters leave out moves the id on, so that nobody reads it again', async () => {
  await withApi(
    async (api, projector) => {
      await grow(projector, 50)
      const client = new Client(`${api.url}/stream?from=0&types=order.filled`)
      await client.until(() => client.lastId === projector.position())
      assert.is(client.frames.length, 0)
      await client.close()
    },
    { streaming: { heartbeatMs: 50 } },
  )
})

test('200 follow at once, one more than allowed is turned away, and closing ends all', async () => {
  const clients: Client[] = []
  await withApi(
    async (api, projector) => {
      await grow(projector, 5)
      for (let i = 0; i < 200; i++) clients.push(new Client(`${api.url}/stream?from=0`))
      await Promise.all(clients.map((client) => client.until(() => client.frames.length >= 7)))
      const { status, body, headers } = await get(`${api.url}/stream`)
      assert.equal([status, body.type], [503, '/problems/too-many-clients'])
      assert.is(headers.get('retry-after'), '5')
      await grow(projector, 20)
      await Promise.all(clients.map((client) => client.until(() => client.frames.length >= 27)))
      for (const client of clients) {
        assert.equal(
          ids(client),
          Array.from({ length: 27 }, (_, i) => i),
        )
      }
    },
    { streaming: { maxClients: 200 } },
  )
  await Promise.all(clients.map(({ ended }) => ended))
})

test('a client that takes nothing is dropped, and its place is free again', async () => {
  await withApi(
    async (api, projector) => {
      for (let i = 0; i < 20; i++) await grow(projector, 1000)
      const { port, hostname } = new URL(api.url)
      const socket = connect(Number(port), hostname)
      socket.write('GET /stream?from=0 HTTP/1.1\r\nHost: localhost\r\n\r\n')
      socket.pause()
      await new Promise<void>((resolve) => {
        socket.on('error', () => resolve())
        socket.on('close', () => resolve())
        // What the kernel holds must be taken before the end can be seen.
        setTimeout(() => socket.resume(), 1500)
      })
      const client = new Client(`${api.url}/stream?from=0`)
      await client.until(() => client.frames.length > 100)
      await client.close()
    },
    { streaming: { maxClients: 1, patienceMs: 300 } },
  )
})

test('a wrong id, position, type or symbol is 400 with its place', async () => {
  await withApi(async (api) => {
    for (const [query, id, pointer] of [
      ['?from=-1', '', '/query/from'],
      ['?types=order.eaten', '', '/query/types'],
      ['?symbol=aapl', '', '/query/symbol'],
      ['', 'abc', '/headers/last-event-id'],
      ['', '-1', '/headers/last-event-id'],
      ['?from=0&x=1', '', '/query/x'],
      // Of another book: whoever waited for it would wait in silence.
      ['', '1', '/headers/last-event-id'],
      ['?from=1', '', '/query/from'],
    ] as const) {
      const headers: Record<string, string> = id === '' ? {} : { 'last-event-id': id }
      const { status, body } = await get(`${api.url}/stream${query}`, { headers })
      assert.is(status, 400, query)
      assert.is(body.errors?.[0]?.pointer, pointer)
    }
  })
})

test('a store that stops giving is asked again, and nobody who follows misses anything', async () => {
  const projector = new FakeProjector()
  const { store } = projector.stored
  const failures: Error[] = []
  const breaks: (() => Promise<void>)[] = []
  const subscribe = store.subscribe.bind(store)
  store.subscribe = (stream, from, handler) => {
    const real = subscribe(stream, from, handler)
    const done = new Promise<void>((_, reject) => {
      breaks.push(async () => {
        await real.close()
        reject(new Error('connection lost'))
      })
    })
    return { close: () => real.close(), done }
  }
  await withApi(
    async (api) => {
      await grow(projector, 3)
      const client = new Client(`${api.url}/stream?from=0`)
      await client.until(() => client.frames.length === 5)
      await breaks[0]!()
      await grow(projector, 4)
      await client.until(() => client.frames.length === 9)
      assert.equal(
        ids(client),
        Array.from({ length: 9 }, (_, i) => i),
      )
      await client.close()
    },
    {
      projector,
      book: projector.stored,
      log: { error: (fields) => void failures.push((fields as { err: Error }).err) },
    },
  )
  assert.match(failures[0]!.message, 'connection lost')
})

test('who has gone is forgotten: nothing of him is kept until the API closes', async () => {
  const closing = new Closing()
  let woken = 0
  const off = closing.on(() => woken++)
  off()
  closing.on(() => woken++)
  assert.is(await closing.or(Promise.resolve(5)), 5)
  const waiting = closing.or(new Promise(() => undefined))
  closing.tell()
  assert.is(await waiting, null)
  assert.is(woken, 1)
  closing.on(() => woken++)
  assert.is(woken, 2)
  assert.is(closing.waiting, 0)
})

test('/events pages through the book, filtered or not, and as of any position', async () => {
  await withApi(async (api, projector) => {
    await grow(projector, 30)
    const walk = async (query: string): Promise<number[]> => {
      const seen: number[] = []
      for (let next: string | null = ''; next !== null; ) {
        const cursor: string = next === '' ? '' : `&cursor=${next}`
        const { status, body } = await get(`${api.url}/events?${query}${cursor}`)
        assert.is(status, 200)
        assert.is(flaws('event-list', body), '')
        seen.push(...body.items!.map(({ position }) => position as number))
        next = body.next as string | null
      }
      return seen
    }
    const all = Array.from({ length: 32 }, (_, i) => i)
    assert.equal(await walk('limit=7'), all)
    assert.equal(await walk('limit=7&from=20'), all.slice(20))
    assert.equal(await walk('limit=7&asOf=10'), all.slice(0, 11))
    assert.equal(
      await walk('limit=3&types=market.bar&symbol=MSFT'),
      all.filter((n) => n > 2 && n % 2 === 1),
    )
    const foreign = await get(
      `${api.url}/events?cursor=${Buffer.from('1 orders asc 3').toString('base64url')}`,
    )
    assert.is(foreign.status, 400)
  })
})

test.run()
