// Generates schemas/types.gen.ts and schemas/schemas.gen.ts from schemas/**/*.json.
// `npm run gen` writes them; `npm run gen -- --check` compares and fails when they are out of date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { posix as path } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compile, type JSONSchema } from 'json-schema-to-typescript'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

interface SchemaFile {
  /** Relative to the schemas folder, with forward slashes. */
  file: string
  schema: JsonObject
  title: string
  /** File name without version and ending: "order-filled". */
  name: string
  version: number
  /** "order.filled", or null for a body. */
  eventType: string | null
}

const NOTE =
  '// Generated from schemas/**/*.json by scripts/gen-types.ts; edit those and run: npm run gen\n'
const SHARED = 'common.json'
const FILE_NAME = /^([a-z0-9-]+)\.v([1-9]\d*)\.json$/
/** Folders and files that hold request and configuration bodies rather than events. */
const BODY_FOLDERS = ['config/', 'api/']
const BODY_FILES = ['signal/manual-signal', 'control/control-command']

export class SchemaSourceError extends Error {
  override name = 'SchemaSourceError'
  readonly code = 'schema_source_invalid'
}

/** "order-cancel-requested" → "order.cancel_requested": the first word is the category. */
export function eventTypeOf(name: string): string {
  const [category, ...rest] = name.split('-')
  if (!category || rest.length === 0) {
    throw new SchemaSourceError(`${name}: an event's file name is <category>-<what-happened>`)
  }
  return `${category}.${rest.join('_')}`
}

function isBody(file: string, name: string): boolean {
  if (!file.includes('/')) return true
  if (BODY_FOLDERS.some((folder) => file.startsWith(folder))) return true
  return BODY_FILES.includes(`${path.dirname(file)}/${name}`)
}

function readObject(root: string, file: string): JsonObject {
  try {
    return JSON.parse(readFileSync(path.join(root, file), 'utf8')) as JsonObject
  } catch (cause) {
    throw new SchemaSourceError(`schemas/${file}: ${(cause as Error).message}`, { cause })
  }
}

/** Reads every schema under `root`, sorted by path. Throws SchemaSourceError naming the file. */
export function readSchemas(root: string): { shared: JsonObject; schemas: SchemaFile[] } {
  const schemas: SchemaFile[] = []
  const titles = new Map<string, string>()
  const files = (readdirSync(root, { recursive: true }) as string[])
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.json') && file !== SHARED)
    .sort()
  for (const file of files) {
    const match = FILE_NAME.exec(path.basename(file))
    if (!match) throw new SchemaSourceError(`schemas/${file}: name it <name>.v<N>.json`)
    const [, name = '', version = ''] = match
    const schema = readObject(root, file)
    const { title, $id } = schema
    if (typeof title !== 'string' || !/^[A-Z][A-Za-z0-9]*$/.test(title)) {
      throw new SchemaSourceError(`schemas/${file}: give it a title such as OrderFilled`)
    }
    if (titles.has(title)) {
      throw new SchemaSourceError(
        `schemas/${file}: title ${title} is taken by ${titles.get(title)}`,
      )
    }
    if (typeof $id !== 'string' || !$id.endsWith(`/${file}`)) {
      throw new SchemaSourceError(`schemas/${file}: its $id must end with /${file}`)
    }
    titles.set(title, file)
    const eventType = isBody(file, name) ? null : eventTypeOf(name)
    schemas.push({ file, schema, title, name, version: Number(version), eventType })
  }
  const names = new Map<string, string>()
  for (const { file, name, version, eventType } of schemas) {
    const key = `${eventType ?? name}@${version}`
    const other = names.get(key)
    if (other) throw new SchemaSourceError(`schemas/${file}: ${key} is also defined by ${other}`)
    names.set(key, file)
  }
  return { shared: readObject(root, SHARED), schemas }
}

/** A copy without references: whole files become their type's name, fragments are written out. */
function inline(
  node: Json,
  file: string,
  files: ReadonlyMap<string, JsonObject>,
  trail: readonly string[],
): Json {
  if (Array.isArray(node)) return node.map((item) => inline(item, file, files, trail))
  if (node === null || typeof node !== 'object') return node
  const { $ref, ...rest } = node
  if (typeof $ref === 'string') {
    const [target = '', pointer = ''] = $ref.split('#')
    const targetFile = target === '' ? file : path.join(path.dirname(file), target)
    const document = files.get(targetFile)
    if (!document) throw new SchemaSourceError(`schemas/${file}: ${$ref} names no schema file`)
    if (pointer === '') return { tsType: document.title ?? 'unknown', ...rest }
    const key = `${targetFile}#${pointer}`
    if (trail.includes(key))
      throw new SchemaSourceError(`schemas/${file}: ${$ref} refers to itself`)
    let found: Json | undefined = document
    for (const part of pointer.split('/').slice(1)) {
      found = (found as JsonObject | undefined)?.[part]
    }
    if (found === undefined) throw new SchemaSourceError(`schemas/${file}: ${$ref} leads nowhere`)
    const written = inline(found, targetFile, files, [...trail, key])
    return { ...(written as JsonObject), ...rest }
  }
  const copy: JsonObject = {}
  for (const [key, value] of Object.entries(node)) {
    if (key !== '$id' && key !== '$schema' && key !== '$defs') {
      copy[key] = inline(value, file, files, trail)
    }
  }
  return copy
}

/** The newest version under each key, in order of keys. */
function newest(schemas: readonly SchemaFile[], key: (schema: SchemaFile) => string): SchemaFile[] {
  const found = new Map<string, SchemaFile>()
  for (const schema of schemas) {
    const other = found.get(key(schema))
    if (!other || other.version < schema.version) found.set(key(schema), schema)
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, schema]) => schema)
}

function quote(text: string): string {
  return `'${text}'`
}

/** The text of schemas/types.gen.ts. */
export async function typesSource(root: string): Promise<string> {
  const { shared, schemas } = readSchemas(root)
  const files = new Map(schemas.map(({ file, schema }) => [file, schema]))
  files.set(SHARED, shared)
  const parts = [NOTE]
  for (const { file, schema, title } of schemas) {
    const flat = inline(schema, file, files, []) as JSONSchema
    const source = await compile(flat, title, {
      bannerComment: '',
      additionalProperties: false,
      ignoreMinAndMaxItems: true,
      style: { singleQuote: true, semi: false, printWidth: 100 },
    })
    parts.push(source.trim(), '')
  }
  const events = newest(
    schemas.filter(({ eventType }) => eventType !== null),
    ({ eventType }) => eventType ?? '',
  )
  const bodies = newest(
    schemas.filter(({ eventType }) => eventType === null),
    ({ name }) => name,
  )
  const list = (items: readonly SchemaFile[], line: (item: SchemaFile) => string): string =>
    items.map((item) => `  ${line(item)}\n`).join('')
  parts.push(
    '/** What the newest version of each event type holds. */',
    `export interface EventData {\n${list(events, (e) => `${quote(e.eventType ?? '')}: ${e.title}`)}}`,
    '',
    '/** What the newest version of each body holds, by the name of its schema file. */',
    `export interface BodyData {\n${list(bodies, (b) => `${quote(b.name)}: ${b.title}`)}}`,
    '',
    'export type EventType = keyof EventData',
    '',
    'export type BodyName = keyof BodyData',
    '',
    '/** The newest version of each event type: the one that is written. */',
    'export const EVENT_VERSIONS: Readonly<Record<EventType, number>> = {',
    `${list(events, (e) => `${quote(e.eventType ?? '')}: ${e.version},`)}}`,
    '',
  )
  return parts.join('\n')
}

/** The text of schemas/schemas.gen.ts: every schema as a constant, so that nothing is read at run time. */
export function schemasSource(root: string): string {
  const { shared, schemas } = readSchemas(root)
  const entry = (key: string, schema: JsonObject): string =>
    `  ${quote(key)}: ${JSON.stringify(schema, null, 2).replaceAll('\n', '\n  ')},\n`
  const events = schemas
    .filter(({ eventType }) => eventType !== null)
    .map(({ eventType, version, schema }) => entry(`${eventType}@${version}`, schema))
  const newestBody = new Set(
    newest(
      schemas.filter(({ eventType }) => eventType === null),
      ({ name }) => name,
    ),
  )
  const bodies = schemas
    .filter(({ eventType }) => eventType === null)
    .map((file) =>
      entry(newestBody.has(file) ? file.name : `${file.name}@${file.version}`, file.schema),
    )
  return [
    NOTE,
    '/** Scalars that the others refer to. */',
    `export const COMMON_SCHEMA: object = ${JSON.stringify(shared, null, 2)}`,
    '',
    '/** Event schemas by "type@version". */',
    `export const EVENT_SCHEMAS: Readonly<Record<string, object>> = {\n${events.join('')}}`,
    '',
    '/** Body schemas by name; older versions by "name@version". */',
    `export const BODY_SCHEMAS: Readonly<Record<string, object>> = {\n${bodies.join('')}}`,
    '',
  ].join('\n')
}

/** Writes both files under `root`, or, when checking, names those that differ from what would be written. */
export async function generate(root: string, check: boolean): Promise<string[]> {
  const differing: string[] = []
  const outputs: [string, string][] = [
    ['types.gen.ts', await typesSource(root)],
    ['schemas.gen.ts', schemasSource(root)],
  ]
  for (const [name, source] of outputs) {
    const file = path.join(root, name)
    if (existsSync(file) && readFileSync(file, 'utf8') === source) continue
    differing.push(name)
    if (!check) writeFileSync(file, source)
  }
  return differing
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const check = process.argv.includes('--check')
  try {
    const differing = await generate('schemas', check)
    for (const name of differing) {
      if (check) console.error(`✘ schemas/${name} is out of date; run: npm run gen`)
      else console.log(`schemas/${name} written`)
    }
    process.exitCode = check && differing.length > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof SchemaSourceError)) throw error
    console.error(`✘ ${error.message}`)
    process.exitCode = 1
  }
}
