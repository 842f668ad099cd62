import { parse } from '../decimal.ts'
import {
  InvalidParams,
  type Params,
  type ParamSpec,
  type ParamValue,
  type Strategy,
} from './strategy.ts'

/** Fills in defaults and checks every value given. Throws InvalidParams that lists every fault at once. */
export function resolveParams(
  strategy: Strategy,
  given: Readonly<Record<string, ParamValue>>,
): Params {
  const faults: string[] = []
  const resolved: Record<string, ParamValue> = {}
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(strategy.params, name)) {
      faults.push(`${name}: ${strategy.name} has no such parameter; it has ${names(strategy)}`)
    }
  }
  for (const [name, spec] of Object.entries(strategy.params)) {
    const value = given[name] ?? spec.default
    const checked = checkValue(spec, value)
    if (checked.fault !== undefined) faults.push(`${name}: ${checked.fault}, not "${value}"`)
    else resolved[name] = checked.value
  }
  if (faults.length > 0) throw new InvalidParams(faults.join('; '))
  strategy.check?.(resolved)
  return resolved
}

function names(strategy: Strategy): string {
  return Object.keys(strategy.params).join(', ')
}

type Checked = { value: ParamValue; fault?: undefined } | { fault: string }

function checkValue(spec: ParamSpec, value: ParamValue): Checked {
  switch (spec.kind) {
    case 'integer':
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
      const fits =
        typeof number === 'number' &&
        number >= spec.min &&
        number <= spec.max &&
        (spec.kind === 'number' || Number.isInteger(number))
      const kind = spec.kind === 'integer' ? 'a whole number' : 'a number'
      return fits ? { value: number } : { fault: `${kind} from ${spec.min} to ${spec.max}` }
    }
    case 'choice':
      return spec.choices.includes(String(value))
        ? { value: String(value) }
        : { fault: `one of ${spec.choices.join(', ')}` }
    case 'size':
      return isSize(String(value))
        ? { value: String(value) }
        : { fault: '"all" or a number of shares above zero, at most nine decimals' }
  }
}

function isSize(text: string): boolean {
  if (text === 'all') return true
  return /^\d{1,15}(\.\d{1,9})?$/.test(text) && parse(text) > 0
}
