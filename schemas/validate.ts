// Checks values against the schemas. ajv compiles each schema on its first use (about 8 ms), then a check costs about 1 µs.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { BODY_SCHEMAS, COMMON_SCHEMA, EVENT_SCHEMAS } from './schemas.gen.ts'
import type { BodyData, BodyName, EventData, EventType } from './types.gen.ts'

/** One thing wrong with a value. */
export interface SchemaError {
  /** JSON pointer to the field, "" for the whole value. */
  path: string
  /** What is wrong, to be read after the field's name: "must be …". */
  message: string
}

export type Validated<T> = { ok: true; value: T } | { ok: false; errors: SchemaError[] }

const MAX_ERRORS = 20
const MAX_SHOWN = 60

/** What our patterns mean, in words. */
const PATTERN_WORDS: ReadonlyMap<string, string> = new Map([
  ['^-?\\d{1,30}(\\.\\d{1,18})?$', 'a decimal number in quotes, such as "12.50"'],
  [
    '^(?=.*[1-9])\\d{1,30}(\\.\\d{1,18})?$',
    'a decimal number above zero in quotes, such as "12.50"',
  ],
  [
    '^(all|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$',
    'a number of shares above zero in quotes, such as "10" (at most nine decimals), or "all"',
  ],
  [
    '^(all|notional|(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?)$',
    'a number of shares above zero in quotes, such as "10", or "all", or "notional"',
  ],
  [
    '^(?=.*[1-9])\\d{1,15}(\\.\\d{1,9})?$',
    'a number of shares above zero in quotes, such as "10" (at most nine decimals)',
  ],
  [
    '^[A-Z0-9][A-Z0-9/-]{0,23}(\\.[A-Z0-9]{1,4})?$',
    'a ticker in upper case, such as AAPL or BRK.B',
  ],
  [
    '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{3})?Z$',
    'a UTC time such as 2026-01-31T14:30:00.000Z',
  ],
  [
    '^P(?=.)(\\d+D)?(T(?=.)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?$',
    'an ISO 8601 duration such as PT5M (five minutes)',
  ],
  ['^\\d{4}-\\d{2}-\\d{2}$', 'a date such as 2026-01-31'],
  ['^[A-Za-z0-9_-]{1,64}$', '1 to 64 letters, digits, underscores or hyphens'],
  ['^[a-z0-9-]{1,32}$', '1 to 32 lower-case letters, digits or hyphens'],
  ['^b[0-9a-f]{16}$', 'the letter b and 16 hexadecimal digits, lower case'],
  ['^[0-9a-f]{16}$', '16 hexadecimal digits, lower case'],
  ['^[0-9a-f]{64}$', '64 hexadecimal digits, lower case'],
])

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
}

const compiled = new Map<string, ValidateFunction>()
let ajv: Ajv2020 | undefined

function validator(key: string, schema: object): ValidateFunction {
  const known = compiled.get(key)
  if (known) return known
  if (!ajv) {
    ajv = new Ajv2020({
      strict: true,
      strictRequired: false,
      allowUnionTypes: true,
      allErrors: true,
      verbose: true,
    })
    ajv.addSchema([COMMON_SCHEMA, ...Object.values(EVENT_SCHEMAS), ...Object.values(BODY_SCHEMAS)])
  }
  const { $id } = schema as { $id: string }
  const validate = ajv.getSchema($id)
  if (!validate) throw new Error(`schema ${key} did not compile`)
  compiled.set(key, validate)
  return validate
}

function child(path: string, name: unknown): string {
  return `${path}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function list(values: readonly unknown[]): string {
  return values
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(', ')
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function words(type: unknown): string {
  const types = Array.isArray(type) ? type : [type]
  return types.map((one) => TYPE_WORDS[String(one)] ?? String(one)).join(', or ')
}

function patternWords(parent: unknown): string | undefined {
  const { pattern, description } = parent as { pattern?: string; description?: string }
  if (pattern === undefined) return undefined
  return (
    PATTERN_WORDS.get(pattern) ?? `of the form described as: ${description ?? 'see its schema'}`
  )
}

/** ajv's error in words that name the remedy, never the regular expression. */
function describe(error: ErrorObject): SchemaError {
  const { instancePath: path, keyword, params, parentSchema, data } = error
  const parent = (parentSchema ?? {}) as Record<string, unknown>
  switch (keyword) {
    case 'required':
      return { path: child(path, params.missingProperty), message: 'must be given' }
    case 'additionalProperties': {
      const known = Object.keys((parent.properties ?? {}) as object)
      return {
        path: child(path, params.additionalProperty),
        message: `must be left out; the fields here are ${list(known)}`,
      }
    }
    case 'enum':
      return {
        path,
        message: `must be one of ${list(params.allowedValues as unknown[])}, not ${shown(data)}`,
      }
    case 'const':
      return { path, message: `must be ${list([params.allowedValue])}, not ${shown(data)}` }
    case 'pattern':
      return { path, message: `must be ${patternWords(parent)}, not ${shown(data)}` }
    case 'type':
      return {
        path,
        message: `must be ${patternWords(parent) ?? words(params.type)}, not ${shown(data)}`,
      }
    case 'minLength':
      return params.limit === 1
        ? { path, message: 'must not be empty' }
        : { path, message: `must have at least ${params.limit} characters` }
    case 'maxLength':
      return { path, message: `must have at most ${params.limit} characters` }
    case 'minimum':
      return { path, message: `must be at least ${params.limit}, not ${shown(data)}` }
    case 'maximum':
      return { path, message: `must be at most ${params.limit}, not ${shown(data)}` }
    case 'exclusiveMinimum':
      return { path, message: `must be above ${params.limit}, not ${shown(data)}` }
    case 'exclusiveMaximum':
      return { path, message: `must be below ${params.limit}, not ${shown(data)}` }
    case 'minItems':
      return { path, message: `must hold at least ${params.limit} items` }
    case 'maxItems':
      return { path, message: `must hold at most ${params.limit} items` }
    default:
      return { path, message: error.message ?? `fails ${keyword}` }
  }
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === 'anyOf' || error.keyword === 'oneOf'
}

function isNullBranch(error: ErrorObject): boolean {
  return error.keyword === 'type' && error.params.type === 'null'
}

function lies(error: ErrorObject, path: string): boolean {
  return error.instancePath === path || error.instancePath.startsWith(`${path}/`)
}

/**
 * ajv reports every branch of a union and the union itself. "X or null" reads better as X's own errors,
 * with the null mentioned where X fails as a whole.
 */
function translate(raw: readonly ErrorObject[]): SchemaError[] {
  const plain = raw.filter((error) => !isUnion(error) && !isNullBranch(error))
  const orNull = new Set(raw.filter(isNullBranch).map((error) => error.instancePath))
  const errors = new Map<string, SchemaError>()
  for (const error of raw) {
    const covered = isUnion(error) || isNullBranch(error)
    if (covered && plain.some((other) => lies(other, error.instancePath))) continue
    const found = describe(error)
    if (!covered && found.path === error.instancePath && orNull.has(found.path)) {
      found.message = found.message.replace(/(, not .*)?$/, (not) => ` or null${not}`)
    }
    errors.set(`${found.path} ${found.message}`, found)
    if (errors.size === MAX_ERRORS) break
  }
  return [...errors.values()]
}

function run<T>(key: string, schema: object, value: unknown): Validated<T> {
  const validate = validator(key, schema)
  if (validate(value)) return { ok: true, value: value as T }
  return { ok: false, errors: translate(validate.errors ?? []) }
}

/** Checks an event's data. A type or version that is not known is an error too. */
export function validateEvent<T extends EventType>(
  type: T,
  version: number,
  data: unknown,
): Validated<EventData[T]>
export function validateEvent(type: string, version: number, data: unknown): Validated<unknown>
export function validateEvent(type: string, version: number, data: unknown): Validated<unknown> {
  const key = `${type}@${version}`
  const schema = Object.hasOwn(EVENT_SCHEMAS, key) ? EVENT_SCHEMAS[key] : undefined
  if (schema) return run(key, schema, data)
  const versions = Object.keys(EVENT_SCHEMAS)
    .filter((known) => known.startsWith(`${type}@`))
    .map((known) => known.slice(type.length + 1))
  const message = versions.length
    ? `version ${version} of ${type} is not known; known: ${versions.join(', ')}`
    : `event type ${shown(type)} is not known`
  return { ok: false, errors: [{ path: '', message }] }
}

/** Checks a body, such as a manual signal or the risk limits, by the name of its schema file. */
export function validateBody<N extends BodyName>(name: N, value: unknown): Validated<BodyData[N]>
export function validateBody(name: string, value: unknown): Validated<unknown>
export function validateBody(name: string, value: unknown): Validated<unknown> {
  const schema = Object.hasOwn(BODY_SCHEMAS, name) ? BODY_SCHEMAS[name] : undefined
  if (schema) return run(name, schema, value)
  const known = Object.keys(BODY_SCHEMAS).join(', ')
  return {
    ok: false,
    errors: [{ path: '', message: `body ${shown(name)} is not known; known: ${known}` }],
  }
}

/** Errors as one sentence for people: `limitPrice must be …; side must be …`. */
export function errorsText(errors: readonly SchemaError[]): string {
  return errors
    .map(({ path, message }) => {
      const name = path.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')
      return name ? `${name} ${message}` : message
    })
    .join('; ')
}
