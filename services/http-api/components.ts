import { BODY_SCHEMAS, COMMON_SCHEMA, EVENT_SCHEMAS } from '../../schemas/schemas.gen.ts'
import { type BodyName, EVENT_VERSIONS, type EventType } from '../../schemas/types.gen.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }
export type SchemaFile = JsonObject & { $id: string; title: string }

const BY_ID: ReadonlyMap<string, SchemaFile> = new Map(
  [COMMON_SCHEMA, ...Object.values(EVENT_SCHEMAS), ...Object.values(BODY_SCHEMAS)].map((schema) => {
    const found = schema as SchemaFile
    return [found.$id, found]
  }),
)

export function bodySchema(name: BodyName): SchemaFile {
  const schema = BODY_SCHEMAS[name] as SchemaFile | undefined
  if (schema === undefined) throw new Error(`there is no schema of ${name}`)
  return schema
}

/** Schema of the newest version of an event's data. */
export function eventSchema(type: EventType): SchemaFile {
  return EVENT_SCHEMAS[`${type}@${EVENT_VERSIONS[type]}`] as unknown as SchemaFile
}

/** Refers to a body's schema in the OpenAPI document. */
export function componentRef(name: BodyName): { $ref: string } {
  return { $ref: `#/components/schemas/${bodySchema(name).title}` }
}

/**
 * The schemas of these bodies and of all they refer to, by title, as an OpenAPI document holds them: other
 * schema files become components, fragments of them are written out.
 */
export function components(names: readonly BodyName[]): Record<string, JsonObject> {
  return gather(names.map(bodySchema))
}

/** A document's part that refers to schema files by their ids, as it stands in the document, and what it refers to. */
export function referencesTo(node: Json): {
  nodes: Json
  schemas: Record<string, JsonObject>
} {
  const waiting: SchemaFile[] = []
  const nodes = rewrite(node, 'https://bitacora.dev/', waiting)
  return { nodes, schemas: gather(waiting) }
}

function gather(waiting: SchemaFile[]): Record<string, JsonObject> {
  const found: Record<string, JsonObject> = {}
  for (let schema = waiting.pop(); schema !== undefined; schema = waiting.pop()) {
    const { title, $id } = schema
    if (Object.hasOwn(found, title)) continue
    found[title] = rewrite(schema, $id, waiting) as JsonObject
  }
  // By name, so that the order does not depend on who asks first.
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function rewrite(node: Json, base: string, waiting: SchemaFile[]): Json {
  if (Array.isArray(node)) return node.map((item) => rewrite(item, base, waiting))
  if (node === null || typeof node !== 'object') return node
  const { $ref, $id: _id, $schema: _schema, ...rest } = node
  if (typeof $ref === 'string') {
    const { target, id, pointer } = lookUp($ref, base)
    if (pointer === '') {
      waiting.push(target)
      return { $ref: `#/components/schemas/${target.title}`, ...rest }
    }
    let part: Json | undefined = target
    for (const name of pointer.split('/').slice(1)) part = (part as JsonObject | undefined)?.[name]
    if (part === undefined) throw new Error(`${$ref} in ${base} leads nowhere`)
    return { ...(rewrite(part, id, waiting) as JsonObject), ...rest }
  }
  const copy: JsonObject = {}
  for (const [key, value] of Object.entries(rest)) copy[key] = rewrite(value, base, waiting)
  return copy
}

function lookUp(ref: string, base: string): { target: SchemaFile; id: string; pointer: string } {
  const url = new URL(ref, base)
  const pointer = decodeURIComponent(url.hash.slice(1))
  url.hash = ''
  const target = BY_ID.get(url.href)
  if (target === undefined) throw new Error(`${ref} in ${base} names no schema`)
  return { target, id: url.href, pointer }
}
