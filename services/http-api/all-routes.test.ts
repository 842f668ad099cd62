// Every operation of the OpenAPI document, asked as the document says, and as nobody should: whatever comes back is a
// status that the document names, with a body that its schema takes.
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RateLimit } from './access.ts'
import type { HttpApi } from './http-api.ts'
import { type FakeProjector, get, METRICS } from './testing/fake-projector.ts'
import { withOutbox } from './testing/outbox.ts'

interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  [keyword: string]: unknown
}
interface Operation {
  parameters?: { name: string; in: string; schema: Schema; required: boolean }[]
  requestBody?: {
    content: Record<string, { schema: Schema; examples: Record<string, { value: object }> }>
  }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
}
interface Asked {
  method: string
  /** With its query, as it is written on the line. */
  path: string
  headers: Record<string, string>
  body: string | Buffer | null
}
interface Got {
  status: number
  type: string
  text: string
}

const HANG_MS = 5000
/** Time that a loaded machine may take besides. */
const PATIENCE_MS = 20_000

/** Asks without any of the repairs that fetch makes. */
function ask(api: HttpApi, { method, path, headers, body }: Asked): Promise<Got> {
  const { hostname, port } = new URL(api.url)
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { hostname, port, method, path, headers, agent: false, timeout: HANG_MS + PATIENCE_MS },
      (answer) => {
        const type = answer.headers['content-type'] ?? ''
        const done = (text: string): void => {
          resolve({ status: answer.statusCode ?? 0, type, text })
          sent.destroy()
        }
        if (type.startsWith('text/event-stream')) {
          answer.once('data', (chunk) => done(String(chunk)))
          return
        }
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => done(text))
        answer.on('error', reject)
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path.slice(0, 200)} hangs`)))
    sent.on('error', reject)
    sent.end(body ?? undefined)
  })
}

class Checker {
  readonly operations: { method: string; path: string; operation: Operation }[]
  readonly statuses = new Map<string, Set<number>>()
  readonly #ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })

  constructor(document: Document) {
    this.#ajv.addSchema({ ...document, $id: 'doc' })
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    )
  }

  /** Throws unless the document allows the answer. */
  check(operation: Operation, asked: Asked, { status, type, text }: Got): void {
    const where = `${asked.method} ${asked.path.slice(0, 200)} ${String(asked.body).slice(0, 200)}`
    assert.ok(status !== 500, `${where}: ${text}`)
    const said = operation.responses[String(status)] ?? operation.responses.default
    assert.ok(said, `${where}: ${status} is not in the document`)
    const given = type.split(';')[0] ?? ''
    const all = Object.entries(said.content ?? {})
    const [media, content] = all.find(([name]) => name === given) ?? all[0] ?? []
    if (media === undefined || content === undefined) {
      assert.is(text, '', where)
      return
    }
    assert.is(given, media, `${where}: ${status}`)
    if (content.schema.type === 'string') return
    const validate = this.#ajv.getSchema(`doc${content.schema.$ref}`)!
    const body: unknown = JSON.parse(text)
    assert.ok(
      validate(body),
      `${where}: ${status} ${this.#ajv.errorsText(validate.errors)} ${text}`,
    )
    if (media === 'application/problem+json') {
      assert.is((body as { status: number }).status, status, where)
    }
  }
}

/** A book in which everything can be found, an engine that answers, and the document. */
async function withDocument(
  run: (api: HttpApi, checker: Checker, projector: FakeProjector) => Promise<void>,
): Promise<void> {
  const limit = new RateLimit()
  limit.take = () => undefined
  await withOutbox(
    async (api, projector) => {
      const { book } = projector
      book.bar('AAPL', '100').signal('api', '1').verdict('operator:api', '1')
      book.intended(1).accepted(1).intended(2).filled(2, '10', '5')
      await projector.write()
      const document = (await get(`${api.url}/openapi.json`)).body as unknown as Document
      await run(api, new Checker(document), projector)
    },
    {
      limit,
      explainer: { explain: explained },
      requestTimeoutMs: 3000,
      maxWaitMs: 100,
      metrics: METRICS,
    },
  )
}

async function explained(): Promise<never> {
  throw Object.assign(new Error('nothing answers to it'), { code: 'nothing_to_explain' })
}

let keys = 0

/** A request as the document wants it; `change` overrides parts of it. */
function valid(method: string, path: string, operation: Operation): Asked {
  const media = operation.requestBody?.content['application/json']
  const body = media === undefined ? null : JSON.stringify(media.examples.example!.value)
  const headers: Record<string, string> = {}
  if (body !== null) headers['content-type'] = 'application/json'
  if (method !== 'get') headers['idempotency-key'] = `key-${++keys}`
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => (name === 'action' ? 'halt' : '1'))
  return { method: method.toUpperCase(), path: filled, headers, body }
}

test('as the document says: the answer is the one that it promises', async () => {
  await withDocument(async (api, checker) => {
    for (const { method, path, operation } of checker.operations) {
      const asked = valid(method, path, operation)
      const got = await ask(api, asked)
      checker.check(operation, asked, got)
      const wanted = path.startsWith('/explain') ? 404 : method === 'get' ? 200 : 202
      assert.is(got.status, wanted, `${method} ${path}: ${got.text}`)
      if (method === 'get') continue
      const waited = valid(method, path, operation)
      waited.path += '?wait=5s'
      // Nobody cancels the order here: the wait for that would be in vain.
      if (method === 'delete') continue
      const answer = await ask(api, waited)
      checker.check(operation, waited, answer)
      assert.is(answer.status, 200, answer.text)
    }
  })
})

const nasty = fc.oneof(
  fc.constantFrom(
    '',
    '\u0000',
    '../../etc/passwd',
    '%',
    '%00',
    '%0d%0aset-cookie:a=b',
    '__proto__',
    'constructor',
    '-1',
    '1e999',
    'NaN',
    '99999999999999999999',
    '<script>',
    "' OR 1=1 --",
    '\u202e\ufeff',
    '💥'.repeat(20),
    'ı',
    'a'.repeat(3000),
    '2013-02-30T00:00:00Z',
    ':',
    '*',
    '>',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.integer().map(String),
)

test('hostile queries and paths: never 500, never a hang, and the body that the document names', async () => {
  await withDocument(async (api, checker) => {
    const one = fc.record({
      which: fc.nat(checker.operations.length - 1),
      segment: nasty,
      given: fc.array(fc.tuple(fc.boolean(), fc.nat(20), nasty), { maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(one, async ({ which, segment, given }) => {
        const { method, path, operation } = checker.operations[which]!
        const asked = valid(method, path, operation)
        if (path.includes('{') && segment !== '') {
          asked.path = path.replace(/\{\w+\}/, () => encode(segment))
          if (asked.path === '/stream') return
        }
        const names = (operation.parameters ?? []).filter(({ in: place }) => place === 'query')
        const query = given.map(([known, index, value]) => {
          const name = known && names.length > 0 ? names[index % names.length]!.name : value
          return `${encode(name)}=${encode(value)}`
        })
        if (query.length > 0) asked.path += `?${query.join('&')}`
        checker.check(operation, asked, await ask(api, asked))
      }),
      { numRuns: 300 },
    )
  })
})

/** Percent-encoded, lone surrogates too. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed?.() ?? Buffer.from(text).toString())
}

const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(null, [], {}, '', 0, true, -0, 1e308),
  nasty,
)

test('hostile bodies: never 500, never a hang, and nothing of the wrong form is sent', async () => {
  await withDocument(async (api, checker) => {
    const commands = checker.operations.filter(({ operation }) => operation.requestBody)
    const fields = [
      'symbol',
      'side',
      'qty',
      'notional',
      'limitPrice',
      'reason',
      'orderId',
      'validFor',
    ]
    const body = fc.oneof(
      json.map((value) => JSON.stringify(value) ?? ''),
      fc
        .dictionary(fc.oneof(fc.constantFrom(...fields), fc.string({ maxLength: 8 })), json)
        .map((value) => JSON.stringify(value)),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.nat(20_000).map((depth) => '['.repeat(depth)),
      fc.nat(10_000).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
      fc.constantFrom(
        '{"__proto__":{"symbol":"AAPL"}}',
        '{"symbol":"AAPL","side":"buy","qty":"\\u0000"}',
        '{"symbol":"AAPL","side":"buy","qty":"1","reason":"\\ud800"}',
        '{"symbol":"AAPL","side":"buy","qty":1e400}',
        `{"symbol":"${'A'.repeat(70_000)}"}`,
      ),
    )
    const type = fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
      ';;;',
    )
    const one = fc.record({ which: fc.nat(commands.length - 1), body, type })
    await fc.assert(
      fc.asyncProperty(one, async (given) => {
        const { method, path, operation } = commands[given.which]!
        const asked = valid(method, path, operation)
        asked.body = given.body
        asked.headers['content-type'] = given.type
        checker.check(operation, asked, await ask(api, asked))
      }),
      { numRuns: 300 },
    )
  })
})

test('hostile headers: what the line takes is answered, and none comes back as a header', async () => {
  await withDocument(async (api, checker) => {
    const value = fc
      .oneof(nasty, fc.constantFrom('a'.repeat(7000), '"p:1"', '*', '0', '999999999999999'))
      .map((text) =>
        Buffer.from(text)
          .toString('latin1')
          .replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'),
      )
    const name = fc.constantFrom(
      'idempotency-key',
      'if-none-match',
      'last-event-id',
      'authorization',
      'traceparent',
      'expect',
      'x-forwarded-host',
      'accept',
    )
    const one = fc.record({ which: fc.nat(checker.operations.length - 1), name, value })
    await fc.assert(
      fc.asyncProperty(one, async (given) => {
        const { method, path, operation } = checker.operations[given.which]!
        const asked = valid(method, path, operation)
        if (given.name === 'expect' && given.value === '') return
        asked.headers[given.name] = given.value
        const got = await ask(api, asked)
        // Node answers an expectation that it does not know by itself, without a body.
        if (got.status === 417) return
        checker.check(operation, asked, got)
      }),
      { numRuns: 200 },
    )
  })
})

/** What comes back for bytes on a connection of their own; `half`: our side is closed after them. */
function raw(api: HttpApi, bytes: string, half: boolean): Promise<string> {
  const { hostname, port } = new URL(api.url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () =>
      half ? socket.end(bytes) : socket.write(bytes),
    )
    const late = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end within ${HANG_MS + PATIENCE_MS} ms, after ${JSON.stringify(text)}`))
    }, HANG_MS + PATIENCE_MS)
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(late)
      resolve(text)
    })
  })
}

test('bodies that never come, or stop half way, end in a problem', async () => {
  await withDocument(async (api, checker) => {
    const commands = checker.operations.filter(({ operation }) => operation.requestBody)
    for (const { method, path, operation } of commands) {
      const { path: filled, body } = valid(method, path, operation)
      const head =
        `POST ${filled} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
        `Idempotency-Key: slow-${++keys}\r\nContent-Type: application/json\r\n`
      const length = `Content-Length: ${body!.length + 10}\r\n\r\n`
      const slow = await raw(api, `${head}${length}${String(body).slice(0, 5)}`, false)
      assert.match(slow, /^HTTP\/1\.1 408 /, `${path}: ${slow}`)
      const half = await raw(api, `${head}${length}${String(body).slice(0, 5)}`, true)
      assert.not.match(half, /^HTTP\/1\.1 [25]/, `${path}: ${half}`)
      const chunked = `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`
      assert.match(await raw(api, chunked, false), /^HTTP\/1\.1 400 /)
      const both = `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
      assert.match(await raw(api, both, false), /^HTTP\/1\.1 400 /)
      // A whole request is answered though the client has closed its side.
      const whole = `${head}Content-Length: ${Buffer.byteLength(body!)}\r\n\r\n${body}`
      assert.match(await raw(api, whole, true), /^HTTP\/1\.1 202 /)
    }
    assert.is((await get(`${api.url}/livez`)).status, 200)
  })
})

test('every address offers the methods of the document, and says so', async () => {
  await withDocument(async (api, checker) => {
    const paths = new Map<string, Set<string>>()
    for (const { method, path } of checker.operations) {
      const methods = paths.get(path) ?? new Set()
      paths.set(path, methods.add(method.toUpperCase()))
      if (method === 'get' && path !== '/stream') methods.add('HEAD')
    }
    // GET /signals/manual asks for a signal of that id.
    for (const method of ['GET', 'HEAD']) paths.get('/signals/manual')!.add(method)
    const order = ['GET', 'HEAD', 'POST', 'DELETE']
    for (const [path, methods] of paths) {
      const filled = path.replace('{action}', 'halt').replace('{id}', '1')
      const { status, headers } = await get(api.url + filled, { method: 'PUT' })
      assert.is(status, 405, path)
      const wanted = order.filter((method) => methods.has(method)).join(', ')
      assert.is(headers.get('allow'), wanted, path)
    }
  })
})

test.run()
