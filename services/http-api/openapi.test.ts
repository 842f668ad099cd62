import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asyncApi } from './asyncapi.ts'
import { KINDS } from './problem.ts'
import { get, METRICS, withApi } from './testing/fake-projector.ts'

interface Operation {
  operationId: string
  tags: string[]
  summary: string
  security: Record<string, string[]>[]
  parameters?: { name: string; in: string; schema: object; required: boolean }[]
  requestBody?: { content: Record<string, { schema: object; examples: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}
interface Document {
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

/** `UPDATE_GOLDEN=1 node --import tsx services/http-api/openapi.test.ts` writes them anew. */
function golden(file: string, document: object): void {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const text = `${JSON.stringify(document, null, 2)}\n`
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text)
  // Compared as values: a formatter may have its own idea of line breaks.
  const kept = JSON.parse(readFileSync(path, 'utf8')) as unknown
  assert.equal(
    document,
    kept,
    `${file} is out of date: UPDATE_GOLDEN=1 node --import tsx services/http-api/openapi.test.ts`,
  )
}

async function openApi(): Promise<Document> {
  let found: unknown
  await withApi(
    async (api) => {
      found = (await get(`${api.url}/openapi.json`)).body
    },
    { metrics: METRICS },
  )
  return found as Document
}

function references(document: object): string[] {
  return [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!)
}

function lookUp(document: object, ref: string): unknown {
  assert.match(ref, /^#\//)
  return ref
    .slice(2)
    .split('/')
    .reduce((node, key) => (node as Record<string, unknown>)?.[key], document as unknown)
}

test('the OpenAPI document is the one that was looked at', async () => {
  golden('openapi.golden.json', await openApi())
})

test('the AsyncAPI document is the one that was looked at', () => {
  golden('asyncapi.golden.json', asyncApi('1.2.3'))
})

test('every operation has a group, a name of its own, an answer, and its path parameters', async () => {
  const { paths, tags } = await openApi()
  const names = new Set<string>()
  const groups = new Set(tags.map(({ name }) => name))
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const where = `${method} ${path}`
      assert.not(names.has(operation.operationId), where)
      names.add(operation.operationId)
      assert.is(operation.tags.length, 1, where)
      assert.ok(groups.has(operation.tags[0]!), where)
      assert.ok(operation.summary.length > 5, where)
      assert.ok(Array.isArray(operation.security), where)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const described = (operation.parameters ?? []).filter(({ in: place }) => place === 'path')
      assert.equal(
        described.map(({ name }) => name),
        inPath,
        where,
      )
      assert.ok(operation.responses['200'], where)
      assert.ok(operation.responses.default, where)
      if (method === 'post') {
        assert.ok(operation.responses['202'], where)
        const key = operation.parameters!.find(({ name }) => name === 'idempotency-key')
        assert.is(key?.required, true, where)
      }
    }
  }
})

test('every reference leads somewhere, every schema compiles, every example is valid', async () => {
  const document = await openApi()
  for (const ref of references(document)) assert.ok(lookUp(document, ref), ref)
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
  ajv.addSchema({ ...document, $id: 'doc' })
  for (const name of Object.keys(document.components.schemas)) {
    assert.type(ajv.getSchema(`doc#/components/schemas/${name}`), 'function', name)
  }
  let examples = 0
  for (const item of Object.values(document.paths)) {
    for (const { requestBody } of Object.values(item)) {
      const media = requestBody?.content['application/json']
      if (media === undefined) continue
      const { $ref } = media.schema as { $ref: string }
      for (const { value } of Object.values(media.examples as Record<string, { value: object }>)) {
        const validate = ajv.getSchema(`doc${$ref}`)!
        assert.ok(validate(value), JSON.stringify(validate.errors))
        examples++
      }
    }
  }
  assert.is(examples, 4)
})

test('the AsyncAPI document holds together: operations, channels, messages, schemas', () => {
  const document = asyncApi('1.2.3') as {
    asyncapi: string
    channels: Record<string, { address: string; parameters: object; messages: object }>
    operations: Record<string, { action: string; channel: { $ref: string }; messages: object[] }>
    components: { messages: Record<string, { payload: object; headers?: object }>; schemas: object }
  }
  assert.is(document.asyncapi, '3.0.0')
  for (const ref of references(document)) assert.ok(lookUp(document, ref), ref)
  for (const [name, { address, parameters }] of Object.entries(document.channels)) {
    const inAddress = [...address.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    assert.equal(Object.keys(parameters), inAddress, name)
  }
  const used = Object.values(document.operations).map(({ channel }) => channel.$ref)
  assert.equal(
    used.sort(),
    Object.keys(document.channels)
      .map((name) => `#/channels/${name}`)
      .sort(),
  )
  for (const { action } of Object.values(document.operations)) {
    assert.ok(action === 'send' || action === 'receive')
  }
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
  ajv.addSchema({ ...document, $id: 'doc' })
  for (const name of Object.keys(document.components.messages)) {
    const payload = ajv.getSchema(`doc#/components/messages/${name}/payload`)
    assert.type(payload, 'function', name)
  }
  const signal = ajv.getSchema('doc#/components/messages/manualSignal/payload')!
  assert.ok(signal({ symbol: 'AAPL', side: 'buy', qty: '1' }))
  assert.not(signal({ symbol: 'AAPL', side: 'hold' }))
})

test('what TAPE carries is what the document says', async () => {
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } })
  ajv.addSchema({ ...asyncApi('1.2.3'), $id: 'doc' })
  const tape = ajv.getSchema('doc#/components/messages/tape/payload')!
  await withApi(async (_api, projector) => {
    projector.book.created().started().bar('AAPL', '1').signal('a', 's').denied('operator:a', 's')
    projector.book.intended(1).accepted(1).filled(1, '1', '1')
    await projector.write()
    const { store, stream } = projector.stored
    let seen = 0
    for await (const page of store.read(stream, 0)) {
      for (const { id, position, body } of page) {
        const event = { id, position, ...(JSON.parse(body) as object) }
        assert.ok(tape(event), `${body} ${JSON.stringify(tape.errors?.slice(-3))}`)
        seen++
      }
    }
    assert.is(seen, 8)
    assert.not(tape({ id: 'x', position: 1, type: 'order.filled', version: 1, data: {} }))
  })
})

test('the documents and pages are served, need nothing from elsewhere, and run nothing inline', async () => {
  await withApi(async (api) => {
    const types: Record<string, string> = {
      '/docs': 'text/html',
      '/docs/docs.css': 'text/css',
      '/docs/docs.mjs': 'text/javascript',
      '/problems': 'text/html',
    }
    for (const kind of Object.keys(KINDS)) types[`/problems/${kind}`] = 'text/html'
    for (const [path, type] of Object.entries(types)) {
      const answer = await fetch(api.url + path)
      const text = await answer.text()
      assert.is(answer.status, 200, path)
      assert.match(answer.headers.get('content-type') ?? '', type)
      assert.match(answer.headers.get('content-security-policy') ?? '', "default-src 'self'")
      assert.is(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.not.match(text, /https?:\/\/(?!json-schema)/, path)
      assert.not.match(text, /<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/, path)
      assert.not.match(text, 'innerHTML')
    }
    const page = await (await fetch(`${api.url}/problems/key-reused`)).text()
    assert.match(page, '422')
    assert.match(page, KINDS['key-reused'].title)
    for (const kind of ['nope', '__proto__', 'toString', '%3Cscript%3E']) {
      assert.is((await get(`${api.url}/problems/${kind}`)).status, 404, kind)
    }
    const asyncDocument = await get(`${api.url}/asyncapi.json`)
    assert.is(asyncDocument.body.asyncapi, '3.0.0')
  })
})

test.run()
