import { Problem } from './problem.ts'
import { COMMON_SCHEMA } from '../../schemas/schemas.gen.ts'
import { EVENT_VERSIONS } from '../../schemas/types.gen.ts'
import { TRANSITIONS } from '../../engine/trading/transitions.ts'

/** One query parameter: what the documentation says of it, and how its text is read. */
export interface Parameter<T> {
  schema: { description: string; [keyword: string]: unknown }
  /** Null when the text is not valid; `remedy` then says what is. */
  read(text: string): T | null
  remedy: string
}

function whole(description: string, minimum: number, maximum: number): Parameter<number> {
  return {
    schema: { type: 'integer', minimum, maximum, description },
    read(text) {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      return value >= minimum && value <= maximum ? value : null
    },
    remedy: `must be a whole number from ${minimum} to ${maximum}`,
  }
}

function oneOf<T extends string>(description: string, values: readonly T[]): Parameter<T> {
  return {
    schema: { enum: values, description },
    read: (text) => values.find((value) => value === text) ?? null,
    remedy: `must be one of ${values.join(', ')}`,
  }
}

function matching(description: string, pattern: string, remedy: string): Parameter<string> {
  const regular = new RegExp(pattern)
  return {
    schema: { type: 'string', pattern, description },
    read: (text) => (regular.test(text) ? text : null),
    remedy,
  }
}

const { $defs } = COMMON_SCHEMA as { $defs: { Symbol: { pattern: string } } }

export const DEFAULT_LIMIT = 100

export const MIN_POSITION = whole(
  'Answer only once this position is folded; 503 when that takes longer than 5 s',
  0,
  Number.MAX_SAFE_INTEGER,
)
/** What `asOf` names. */
export type Moment = { position: number } | { at: number }

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/

export const AS_OF: Parameter<Moment> = {
  schema: {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', format: 'date-time' },
    ],
    description:
      'As of this position, or of this engine time (the last event at or before it); the answer never changes',
  },
  read(text) {
    if (/^\d{1,16}$/.test(text)) {
      return Number.isSafeInteger(Number(text)) ? { position: Number(text) } : null
    }
    const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
    return Number.isNaN(at) ? null : { at }
  },
  remedy: 'must be a position, or a time such as 2013-05-13T00:00:00Z',
}
export const DAYS = whole('How many days, newest first; 30 when left out', 0, 10_000)
export const LIMIT = whole(`Items on a page; ${DEFAULT_LIMIT} when left out`, 1, 500)
export const ORDER = oneOf('Oldest first (asc, when left out) or newest first', ['asc', 'desc'])
export const CURSOR = matching(
  'The `next` of the page before',
  '^[A-Za-z0-9_-]{8,200}$',
  'must be the `next` of an earlier page, unchanged',
)
export const SYMBOL = matching(
  'Only this ticker',
  $defs.Symbol.pattern,
  'must be a ticker in upper case, such as AAPL or BRK.B',
)
const MAX_WAIT_MS = 30_000

/** In ms. */
export const WAIT: Parameter<number> = {
  schema: {
    type: 'string',
    pattern: '^((30|[12]?\\d)s|(30000|[12]?\\d{1,4})ms)$',
    description:
      'Wait so long for what becomes of it, such as 2s, at most 30s; answered as soon as it is known',
  },
  read(text) {
    const [, number = '', unit = ''] = /^(\d{1,5})(ms|s)$/.exec(text) ?? []
    const ms = number === '' ? Number.NaN : Number(number) * (unit === 's' ? 1000 : 1)
    return ms <= MAX_WAIT_MS ? ms : null
  },
  remedy: 'must be a time of at most 30s, such as 2s or 500ms',
}
export const FROM = whole('Begin with this position', 0, Number.MAX_SAFE_INTEGER)
export const EVENT_TYPES: Parameter<string[]> = {
  schema: {
    type: 'string',
    description:
      'Only events of these types, with commas between them, such as order.intended,order.filled',
  },
  read(text) {
    const types = text.split(',')
    return types.every((type) => Object.hasOwn(EVENT_VERSIONS, type)) ? types : null
  },
  remedy: `must be types of events with commas between them: ${Object.keys(EVENT_VERSIONS).join(', ')}`,
}
export const ORDER_STATUS = oneOf('Only orders of this status', Object.keys(TRANSITIONS))
export const SIGNAL_STATUS = oneOf('Only signals with this verdict', [
  'approved',
  'denied',
  'pending',
])

type Parameters = Readonly<Record<string, Parameter<unknown>>>
type Values<P extends Parameters> = {
  [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never
}

/** Reads a query string's parameters. Throws Problem naming every one that is unknown, repeated or not valid. */
export function readQuery<P extends Parameters>(
  parameters: P,
  query: Readonly<Record<string, string | string[]>>,
): Values<P> {
  const values: Record<string, unknown> = {}
  const errors: { pointer: string; detail: string }[] = []
  for (const [name, text] of Object.entries(query)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    const fault = (detail: string) => errors.push({ pointer: pointer(name), detail })
    if (parameter === undefined) {
      const known = Object.keys(parameters)
      fault(
        known.length === 0
          ? 'is not known; this address takes no parameters'
          : `is not known; the parameters here are ${known.join(', ')}`,
      )
    } else if (typeof text !== 'string') fault('is given more than once')
    else {
      const value = parameter.read(text)
      if (value === null) fault(parameter.remedy)
      else values[name] = value
    }
    if (errors.length === MAX_ERRORS) break
  }
  if (errors.length > 0) throw invalid(errors)
  return values as Values<P>
}

const MAX_ERRORS = 20
const MAX_NAME = 60

function pointer(name: string): string {
  const shown = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name
  return `/query/${shown.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function invalid(errors: { pointer: string; detail: string }[]): Problem {
  const text = errors.map((error) => `${error.pointer.slice(7)} ${error.detail}`).join('; ')
  return new Problem('invalid-parameters', text, { errors })
}

/** The parameters as one JSON Schema, for the documentation. */
export function querySchema(parameters: Parameters): object {
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(parameters).map(([name, { schema }]) => [name, schema]),
    ),
    additionalProperties: false,
  }
}
