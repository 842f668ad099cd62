import type { ManualSignal, SignalReceived } from '../../schemas/types.gen.ts'
import { validateBody } from '../../schemas/validate.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { formatTime, parseDuration } from '../../engine/time.ts'
import { faultText, messageHash, readJson, Refusal } from './message.ts'

/** What a signature must keep. */
export interface SignalRules {
  requireSignature: boolean
  /**
   * Checks the Standard Webhooks headers of a message: null when they hold, else what is wrong.
   * Called only when the message carries a signature.
   */
  checkSignature(
    message: InboundMessage,
    operator: string,
  ): { code: string; message: string } | null
  now(): number
}

const DEFAULT_VALID_FOR = 'PT1M'
/** As long as ids are remembered. */
const MAX_VALID_FOR_MS = 7 * 86_400_000
const SYMBOL = /^[A-Z0-9][A-Z0-9/-]{0,23}(\.[A-Z0-9]{1,4})?$/

/** Reads a manual signal into the event that is recorded. Throws Refusal with the field and the remedy. */
export function readManualSignal(message: InboundMessage, rules: SignalRules): SignalReceived {
  const operator = message.subject.slice('signals.manual.'.length)
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(operator)) {
    throw new Refusal(
      'invalid_subject',
      `"${operator}" is not an operator: one token of letters, digits, _ and -, at most 64`,
    )
  }
  const signed = message.headers['webhook-signature'] !== undefined
  if (signed) {
    const fault = rules.checkSignature(message, operator)
    if (fault !== null) throw new Refusal(fault.code, fault.message)
  } else if (rules.requireSignature) {
    throw new Refusal(
      'signature_required',
      'signals must be signed here: send webhook-id, webhook-timestamp and webhook-signature',
    )
  }
  const body = readJson(message)
  const checked = validateBody('manual-signal', body)
  if (!checked.ok) throw new Refusal('invalid_signal', faultText(checked.errors))
  const signal = body as unknown as ManualSignal
  const symbol = signal.symbol.trim().toUpperCase()
  const validForMs = parseDuration(signal.validFor ?? DEFAULT_VALID_FOR)
  const faults = signalFaults(signal)
  if (faults.length > 0) throw new Refusal('invalid_signal', faults.join('; '))
  // A signed message is known by its signed id: another Nats-Msg-Id would make the same signature count twice.
  const id = signed ? message.headers['webhook-id'] : message.headers['nats-msg-id']
  const signalId = id === undefined || id === '' ? messageHash(message) : id
  if (signalId.length > 128) {
    throw new Refusal('invalid_signal', `the id has ${signalId.length} characters; at most 128`)
  }
  const optional = <K extends keyof ManualSignal & keyof SignalReceived>(name: K) =>
    signal[name] === undefined ? {} : { [name]: signal[name] }
  return {
    operator,
    signalId,
    symbol,
    side: signal.side,
    ...optional('qty'),
    ...optional('notional'),
    ...optional('fractional'),
    orderType: orderType(signal),
    ...optional('limitPrice'),
    ...optional('stopPrice'),
    timeInForce: signal.timeInForce ?? (hasExits(signal) ? 'gtc' : 'day'),
    ...optional('reason'),
    ...optional('takeProfit'),
    ...optional('stopLoss'),
    ...optional('trailPercent'),
    ...optional('confidence'),
    validForMs,
    storedAt: formatTime(message.storedAt),
    receivedAt: formatTime(rules.now()),
    signed,
  }
}

/** The type asked for, or the one that the price given speaks of. */
function orderType(signal: ManualSignal): 'market' | 'limit' | 'stop' {
  if (signal.type !== undefined) return signal.type
  if (signal.limitPrice !== undefined) return 'limit'
  return signal.stopPrice === undefined ? 'market' : 'stop'
}

/** Exits stand as long as their entry may: those of a day would leave the position bare the day after. */
function hasExits({ takeProfit, stopLoss, trailPercent }: ManualSignal): boolean {
  return takeProfit !== undefined || stopLoss !== undefined || trailPercent !== undefined
}

/** What the schema alone cannot say, each fault behind the pointer to its field; empty: nothing is wrong. */
export function signalFaults(signal: ManualSignal): string[] {
  const faults: string[] = []
  const trimmed = signal.symbol.trim()
  // Letters that only become ASCII in upper case, such as a dotless i, name no ticker.
  if (!SYMBOL.test(trimmed.toUpperCase()) || !/^[ -~]+$/.test(trimmed)) {
    faults.push(`/symbol "${signal.symbol}" is not a ticker such as AAPL`)
  }
  if (!(parseDuration(signal.validFor ?? DEFAULT_VALID_FOR) <= MAX_VALID_FOR_MS)) {
    faults.push('/validFor must be at most P7D')
  }
  const type = orderType(signal)
  if (signal.qty !== undefined && signal.notional !== undefined) {
    faults.push('/notional must be left out where /qty is given')
  }
  if (signal.side === 'close') {
    if (signal.notional !== undefined)
      faults.push('/notional does not go with side close; use /qty')
  } else if (signal.qty === undefined && signal.notional === undefined) {
    faults.push('/qty or /notional is needed to buy or sell')
  }
  if (signal.side === 'close' && hasExits(signal)) {
    faults.push('/takeProfit, /stopLoss and /trailPercent go with an entry, not with side close')
  }
  if (signal.stopLoss !== undefined && signal.trailPercent !== undefined) {
    faults.push('/trailPercent must be left out where /stopLoss is given')
  }
  if (signal.fractional === true && signal.notional === undefined) {
    faults.push('/fractional goes with /notional only; /qty takes fractions as they are')
  }
  if (type === 'limit' && signal.limitPrice === undefined) {
    faults.push('/limitPrice is needed for a limit order')
  }
  if (type !== 'limit' && signal.limitPrice !== undefined) {
    faults.push('/limitPrice goes with type limit only')
  }
  if (type === 'stop' && signal.stopPrice === undefined) {
    faults.push('/stopPrice is needed for a stop order')
  }
  if (type !== 'stop' && signal.stopPrice !== undefined) {
    faults.push('/stopPrice goes with type stop only')
  }
  return faults
}
