import type { RiskVerdict, SignalRaised, SignalReceived } from '../../schemas/types.gen.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, abs, type Decimal, div, floorDiv, format, fromNumber, parse } from '../decimal.ts'
import { lastClose } from '../market/market.ts'
import { parseTime } from '../time.ts'
import {
  affordable,
  closable,
  guardedQty,
  hasEntry,
  isReducing,
  workingQty,
} from '../trading/order-state.ts'
import { checkOpposite, checkTerms, classOf, exitsOf, type Leg } from './brackets.ts'
import { type Check, checkLimits } from './limits.ts'
import type { RiskState } from './risk.ts'

export type SignalLike = SignalRaised | SignalReceived

type Failure = { code: string; check: Check }

/** Judges one signal: approved with an order, or denied with the first rule that failed. */
export function judge(
  signal: SignalLike,
  source: string,
  state: RiskState,
  table: Readonly<StateTable>,
): RiskVerdict {
  const checks: Check[] = []
  const refused = structural(signal, checks, table) ?? overruled(signal, state, checks)
  if (refused !== null) return denied(signal, source, refused, checks)

  const close = fromNumber(lastClose(table.market, signal.symbol))
  const position = table.portfolio.holdings.get(signal.symbol)?.qty ?? ZERO
  const side = signal.side === 'close' ? (position > 0 ? 'sell' : 'buy') : signal.side
  const orderPrice = priceOf(signal)
  const resolved = quantity(signal, close, table)
  if (resolved.failure !== null) {
    checks.push(resolved.failure.check)
    return denied(signal, source, resolved.failure, checks)
  }
  const { qty, text } = resolved
  if (text === BY_LEGS && state.trading === 'HALTED') {
    // The exits guard the position as long as nothing may be sent in their place.
    const check = {
      rule: 'trading_state',
      observed: state.trading,
      limit: 'ACTIVE or REDUCING',
      ok: false,
    }
    checks.push(check)
    return denied(signal, source, { code: 'halted', check }, checks)
  }
  if (qty === 0) return withoutOrder(signal, source, text, checks)
  const reducing = isReducing(table, signal.symbol, side, qty)
  const legs = exitsOf(signal)
  const byValue = text === 'notional'
  checkTerms(signal, { side, qty, byValue, reducing }, legs, orderPrice ?? close, checks)
  checkGuarded(signal.symbol, side, qty, position, table, checks)
  checkOpposite({ symbol: signal.symbol, side, reducing }, legs, table, checks)

  checks.push({
    rule: 'trading_state',
    observed: state.trading,
    limit: reducing ? 'ACTIVE or REDUCING' : 'ACTIVE',
    ok: state.trading === 'ACTIVE' || (reducing && state.trading === 'REDUCING'),
  })
  // What nobody knows the outcome of blocks opening, never closing.
  if (!reducing) {
    const unknown = table.orders.unknown
    checks.push({
      rule: 'unknown_outcomes',
      observed: String(unknown),
      limit: '0',
      ok: unknown === 0,
    })
  }
  if (state.limits !== null) {
    checkLimits(
      state.limits,
      {
        symbol: signal.symbol,
        side,
        qty,
        price: orderPrice ?? close,
        orderPrice,
        lastClose: close,
        position,
        working: workingQty(table.orders, signal.symbol),
        reducing,
      },
      state,
      table,
      checks,
    )
  }
  const failed = checks.find((check) => !check.ok)
  if (failed !== undefined) {
    const code = failed.rule === 'trading_state' ? state.trading.toLowerCase() : failed.rule
    return denied(signal, source, { code, check: failed }, checks)
  }
  return {
    signalId: signal.signalId,
    source,
    verdict: 'approved',
    orderIds: numbers(table.orders.lastOrderId, 1 + legs.length),
    code: 'approved',
    rule: null,
    observed: null,
    limit: null,
    qty: text,
    checks,
    order: {
      symbol: signal.symbol,
      side,
      type: signal.orderType,
      ...(signal.orderType === 'limit' && { limitPrice: signal.limitPrice! }),
      ...(signal.orderType === 'stop' && { stopPrice: signal.stopPrice! }),
      ...(byValue && { notional: (signal as { notional?: string }).notional! }),
      timeInForce: signal.timeInForce,
      ...together(legs),
    },
  }
}

function together(legs: Leg[]): { orderClass?: 'bracket' | 'oto'; legs?: Leg[] } {
  const orderClass = classOf(legs)
  return orderClass === null ? {} : { orderClass, legs }
}

function numbers(last: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => last + 1 + index)
}

/** What a position's exits will trade cannot be traded twice: brokers hold it back, and we refuse first. */
function checkGuarded(
  symbol: string,
  side: 'buy' | 'sell',
  qty: Decimal,
  position: Decimal,
  table: Readonly<StateTable>,
  checks: Check[],
): void {
  const against = side === 'sell' ? position > 0 : position < 0
  if (!against || table.orders.legs === 0 || guardedQty(table, symbol) === 0) return
  const free = closable(table, symbol)
  checks.push({ rule: 'held_by_legs', observed: format(qty), limit: format(free), ok: qty <= free })
}

/**
 * Approved, and nothing to send yet: the entries still working are cancelled, or, where exits guard the position, these,
 * and what is held is closed when they are gone.
 */
function withoutOrder(
  signal: SignalLike,
  source: string,
  text: string,
  checks: Check[],
): RiskVerdict {
  return {
    signalId: signal.signalId,
    source,
    verdict: 'approved',
    orderIds: [],
    code: text === BY_LEGS ? 'exits_canceled_first' : 'entries_canceled',
    rule: null,
    observed: null,
    limit: null,
    qty: null,
    checks,
    order: null,
  }
}

function denied(
  signal: SignalLike,
  source: string,
  { code, check }: Failure,
  checks: Check[],
): RiskVerdict {
  return {
    signalId: signal.signalId,
    source,
    verdict: 'denied',
    orderIds: [],
    code,
    rule: check.rule,
    observed: check.observed,
    limit: check.limit,
    qty: null,
    checks,
    order: null,
  }
}

function priceOf(signal: SignalLike): Decimal | null {
  if (signal.orderType === 'limit') return parse(signal.limitPrice!)
  return signal.orderType === 'stop' ? parse(signal.stopPrice!) : null
}

/** While an operator wants a symbol flat, strategies have no say in it: its close may come in this very step. */
function overruled(signal: SignalLike, state: RiskState, checks: Check[]): Failure | null {
  if (!('strategy' in signal) || !state.flattening.has(signal.symbol)) return null
  const limit = 'no flatten under way'
  const check = { rule: 'flattening', observed: signal.symbol, limit, ok: false }
  checks.push(check)
  return { code: 'flattening', check }
}

/** What must hold before a quantity can be worked out at all. */
function structural(
  signal: SignalLike,
  checks: Check[],
  table: Readonly<StateTable>,
): Failure | null {
  const refuse = (code: string, rule: string, observed: string, limit: string): Failure => {
    const check = { rule, observed, limit, ok: false }
    checks.push(check)
    return { code, check }
  }
  if ('storedAt' in signal) {
    const age = parseTime(signal.receivedAt) - parseTime(signal.storedAt)
    const observed = `${age / 1000} s`
    const limit = `${signal.validForMs / 1000} s`
    if (age > signal.validForMs) return refuse('stale', 'signal_age', observed, limit)
    checks.push({ rule: 'signal_age', observed, limit, ok: true })
  }
  const allowed = table.settings.settings?.symbols ?? []
  const close = lastClose(table.market, signal.symbol)
  const { gone, formerly } = table.market
  const why = gone.get(signal.symbol)
  if (why !== undefined) return refuse('not_listed', 'symbol', why, 'a symbol that still trades')
  const name = formerly.get(signal.symbol) ?? signal.symbol
  const listed = allowed.includes(signal.symbol) || allowed.includes(name)
  if (allowed.length > 0 ? !listed : Number.isNaN(close)) {
    const known = allowed.length > 0 ? allowed : table.market.symbols
    return refuse(
      'unknown_symbol',
      'symbol',
      signal.symbol,
      known.join(', ') || 'none has a bar yet',
    )
  }
  if (Number.isNaN(close)) {
    return refuse('no_price', 'last_price', 'no bar yet', 'one finished bar of the symbol')
  }
  // What is below half a nano is no price: nothing can be divided by it.
  const price = priceOf(signal) ?? fromNumber(close)
  if (price <= 0 || fromNumber(close) <= 0) {
    return refuse(
      'invalid_price',
      'price',
      signal.limitPrice ?? signal.stopPrice ?? String(close),
      '0.000000001 or more',
    )
  }
  return null
}

/** Stands for the quantity of a close that its position's exits have to make way for. */
const BY_LEGS = 'exits first'

type Quantity =
  | { failure: null; qty: Decimal; text: string }
  | { failure: Failure; qty?: undefined; text?: undefined }

/** Resolves what was asked for into shares. */
function quantity(signal: SignalLike, close: Decimal, table: Readonly<StateTable>): Quantity {
  const fail = (code: string, observed: string, limit: string): Quantity => ({
    failure: { code, check: { rule: 'quantity', observed, limit, ok: false } },
  })
  if (signal.side === 'close') {
    const available = closable(table, signal.symbol)
    const guarded = guardedQty(table, signal.symbol)
    const whole = signal.qty === undefined || signal.qty === 'all'
    if (guarded > 0 && whole && signal.orderType === 'market') {
      return { failure: null, qty: ZERO, text: BY_LEGS }
    }
    const outNow = available <= 0 && signal.orderType === 'market'
    // Nothing is held yet, but something is on its way: closing means to take that back.
    if (outNow && guarded === 0 && hasEntry(table.orders, signal.symbol))
      return { failure: null, qty: ZERO, text: '0' }
    if (available <= 0 && guarded > 0) {
      const limit = `0 free, ${format(guarded)} held by its exits: close at the market, or cancel them first`
      return fail('held_by_legs', signal.qty ?? 'all', limit)
    }
    if (available <= 0) return fail('nothing_to_close', '0', 'a position to close')
    if (signal.qty === undefined || signal.qty === 'all') {
      return { failure: null, qty: available, text: format(available) }
    }
    const wanted = parse(signal.qty)
    return wanted > available
      ? fail('exceeds_position', signal.qty, format(available))
      : { failure: null, qty: wanted, text: format(wanted) }
  }
  if (signal.qty === 'all') {
    const qty = affordable(table, signal.symbol)
    return qty <= 0
      ? fail('insufficient_cash', '0', 'one share at the last close')
      : { failure: null, qty, text: 'all' }
  }
  if (signal.qty !== undefined) {
    const qty = parse(signal.qty)
    return { failure: null, qty, text: format(qty) }
  }
  const notional = parse(signal.notional ?? '0')
  if ('fractional' in signal && signal.fractional === true) {
    return byValue(signal, div(notional, close), fail)
  }
  const qty = floorDiv(notional, priceOf(signal) ?? close)
  return qty <= 0
    ? fail('quantity_zero', `${signal.notional ?? '0'} buys no whole share`, format(abs(close)))
    : { failure: null, qty, text: format(qty) }
}

/** Fractions of a share are bought by value: the broker divides it by the price that it gets. */
function byValue(
  signal: SignalLike,
  qty: Decimal,
  fail: (code: string, observed: string, limit: string) => Quantity,
): Quantity {
  if (signal.orderType !== 'market' || signal.timeInForce !== 'day') {
    const observed = `fractional ${signal.orderType} ${signal.timeInForce}`
    return fail('order_rules', observed, 'fractions of a share by value: market orders of day')
  }
  return qty <= 0
    ? fail('quantity_zero', signal.notional ?? '0', 'more than half a billionth of a share')
    : { failure: null, qty, text: 'notional' }
}
