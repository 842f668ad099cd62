/** Values of options: read once, refused with what would be right. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { format, parse } from '../../engine/decimal.ts'
import { parseDuration, parseTime } from '../../engine/time.ts'

const AMOUNT = /^\d{1,15}(\.\d{1,9})?$/

/** A decimal of zero or more, as its shortest text. */
export function amount(text: string): string {
  if (!AMOUNT.test(text)) {
    throw new InvalidArgumentError('Give a number of zero or more, such as 12.50.')
  }
  return format(parse(text))
}

export function positiveAmount(text: string): string {
  const value = AMOUNT.test(text) ? amount(text) : '0'
  if (value === '0') throw new InvalidArgumentError('Give a number above zero, such as 12.50.')
  return value
}

/** A fraction below one, as its shortest text. */
export function fraction(text: string): string {
  if (!AMOUNT.test(text) || Number(text) >= 1) {
    throw new InvalidArgumentError('Give a fraction from 0 to below 1, such as 0.001 for 0.1 %.')
  }
  return amount(text)
}

export function between(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = AMOUNT.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Give a number from ${min} to ${max}.`)
    }
    return value
  }
}

/** A whole number from `min`. */
export function whole(min: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min)) throw new InvalidArgumentError(`Give a whole number from ${min}.`)
    return value
  }
}

export function time(text: string): string {
  if (Number.isNaN(parseTime(text))) {
    throw new InvalidArgumentError('Give a date such as 2026-01-31, or 2026-01-31T14:30:00Z.')
  }
  return text
}

/** ISO 8601, such as PT5M. */
export function isoDuration(text: string): string {
  if (Number.isNaN(parseDuration(text))) {
    throw new InvalidArgumentError('Give an ISO 8601 duration such as PT5M (five minutes).')
  }
  return text
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** "500ms", "5s", "1m" or a number of seconds, in ms. */
export function wait(text: string): number {
  const match = /^(\d{1,6}(?:\.\d+)?)(ms|s|m)?$/.exec(text)
  if (!match) throw new InvalidArgumentError('Give a time such as 5s, 500ms or 1m.')
  return Number(match[1]) * UNITS[match[2] ?? 's']!
}

const PAIR = /^([A-Za-z][A-Za-z0-9_]*)=(.*)$/s

/** Collects key=value pairs over several uses of an option. */
export function pairs(
  text: string,
  before: Record<string, string> | undefined,
): Record<string, string> {
  const match = PAIR.exec(text)
  if (!match) throw new InvalidArgumentError('Give key=value, such as fast=10.')
  const key = match[1]!
  if (before !== undefined && Object.hasOwn(before, key)) {
    throw new InvalidArgumentError(`${key} is given twice.`)
  }
  return { ...before, [key]: match[2]! }
}

/** A folder's name. An unset shell variable must not mean the default or the current folder. */
export function folderName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a folder, such as ./data.')
  return text
}

export function dirOption(): Option {
  return new Option(
    '--dir <dir>',
    "the engine's folder (default: DATA_DIR, else ./data)",
  ).argParser(folderName)
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document')
}

/** Whether the user gave the option, rather than its default. */
export function isGiven(command: Command, name: string): boolean {
  const source = command.getOptionValueSource(name)
  return source !== undefined && source !== 'default'
}
