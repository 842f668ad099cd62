import pino, { type Logger } from 'pino'
import type { Settings } from './config-spec.ts'
import { Redaction } from './log-redact.ts'

export type Log = Logger
export type LogLevel = Settings['LOG_LEVEL']

export interface LogSink {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface LogOptions {
  level: LogLevel
  /** The service that speaks. */
  name: string
  /** Texts that must not appear: `config.secrets`. */
  secrets?: Iterable<string>
  /** Default: stderr, written synchronously, so that the last line before a crash is there. */
  destination?: LogSink
  /** Colours on a terminal; default: unless NO_COLOR is set. */
  color?: boolean
}

interface Line {
  level: string
  time: string
  name: string
  msg?: string
  [key: string]: unknown
}

const COLORS: Readonly<Record<string, number>> = {
  warn: 33,
  error: 31,
  fatal: 31,
  debug: 2,
  trace: 2,
}
const HEAD = new Set(['level', 'time', 'name', 'msg', 'pid'])

/**
 * A pino logger: one JSON object a line, readable lines on a terminal. Every line passes the redaction as
 * the last thing before it is written, so that children, errors and formatted messages cannot go past it.
 */
export function createLog(options: LogOptions): Log {
  const sink = options.destination
  const terminal = sink ? sink.isTTY === true : process.stderr.isTTY === true
  const color = options.color ?? !process.env.NO_COLOR
  const redaction = new Redaction(options.secrets)
  const out = sink ?? pino.destination({ dest: 2, sync: true })
  return pino(
    {
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: withErrors },
    },
    {
      write(json: string) {
        const clean = redaction.line(json)
        out.write(terminal ? humanLine(clean, color) : clean)
      },
    },
  )
}

/** The same log, with fields added to its lines that follow from those that they have. */
export function withFields(
  log: Log,
  more: (fields: Record<string, unknown>) => Record<string, unknown>,
): Log {
  return log.child(
    {},
    {
      formatters: {
        log: (object) => {
          const fields = object as Record<string, unknown>
          return withErrors({ ...fields, ...more(fields) })
        },
      },
    },
  )
}

/** JSON knows no errors: one under another key than `err` would come out as {}. */
function withErrors(fields: Record<string, unknown>): Record<string, unknown> {
  const found = Object.entries(fields).filter(([, value]) => value instanceof Error)
  if (found.length === 0) return fields
  const errors = found.map(([key, value]) => [key, pino.stdSerializers.err(value as Error)])
  return { ...fields, ...Object.fromEntries(errors) }
}

/** `12:03:04.123 WARN  engine: message key=value`, a stack below it, control characters made harmless. */
export function humanLine(json: string, color: boolean): string {
  let line: Line
  try {
    line = JSON.parse(json) as Line
  } catch {
    return json
  }
  const level = line.level.toUpperCase().padEnd(5)
  const code = color ? COLORS[line.level] : undefined
  const shown = code === undefined ? level : `\u001b[${code}m${level}\u001b[0m`
  const stacks: string[] = []
  const fields: string[] = []
  for (const [key, value] of Object.entries(line)) {
    if (HEAD.has(key)) continue
    if (isError(value)) {
      stacks.push(value.stack)
      const { type: _type, message: _message, stack: _stack, ...rest } = value
      for (const [name, inner] of Object.entries(rest)) fields.push(`${name}=${short(inner)}`)
    } else {
      fields.push(`${key}=${short(value)}`)
    }
  }
  const text = [line.msg, ...fields].filter((part) => part !== undefined && part !== '').join(' ')
  const first = `${line.time.slice(11, 23)} ${shown} ${line.name}: ${oneLine(text)}`
  const rest = stacks.flatMap((stack) => stack.split('\n').map((row) => `    ${oneLine(row)}`))
  return `${[first, ...rest].join('\n')}\n`
}

function isError(
  value: unknown,
): value is { type: unknown; message: unknown; stack: string; [key: string]: unknown } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'type' in value
    ? typeof value.stack === 'string'
    : false
}

function short(value: unknown): string {
  if (typeof value === 'string') return /^[^\s="]+$/.test(value) ? value : JSON.stringify(value)
  return JSON.stringify(value) ?? 'undefined'
}

/** What comes from outside must not move the cursor of the terminal, nor fake a line. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => {
    if (char === '\n') return '\\n'
    if (char === '\t') return '  '
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
