import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import {
  abs,
  add,
  type Decimal,
  format,
  fromNumber,
  max,
  mul,
  parse,
  sub,
  trunc,
  ZERO,
} from '../decimal.ts'
import type { Desk } from './desk.ts'
import { type Refusal, refuse } from './read-order.ts'
import type { WorkingOrder } from './working-orders.ts'

const HALF = parse('0.5')
const SMALL_ACCOUNT = parse('2000')
/** A short sale is valued at no less than the ask and this much. */
const SHORT_MARGIN = parse('1.03')
const LONG_MAINTENANCE = parse('0.3')
const FIVE = parse('5')
const CHEAP = parse('2.5')

/**
 * What the account may do: short sales, buying power, wash trades. Each is looked at only where a setting asks for it,
 * and then walks through all orders, on a submission or replacement, never on a bar.
 */
export class Gates {
  readonly #shorts: NonNullable<ExchangeSettings['shorts']>
  readonly #shortable: ReadonlySet<string>
  readonly #multiplier: 1 | 2 | 4 | null
  readonly #refusesWash: boolean
  readonly #wholeShorts: boolean
  /** Equity at the end of the day before, for intraday buying power; null before there is one. */
  lastEquity: Decimal | null = null

  constructor(settings: ExchangeSettings) {
    this.#shorts = settings.shorts ?? 'all'
    this.#shortable = new Set(settings.shortable ?? [])
    this.#multiplier = settings.multiplier ?? null
    this.#refusesWash = settings.washTrades === 'refuse'
    this.#wholeShorts = settings.rules === 'alpaca'
  }

  /** Whether the day's last equity is needed. */
  get marks(): boolean {
    return this.#multiplier === 4
  }

  /** What stands against an order; `without`: the order that it would replace. */
  refusal(order: WorkingOrder, desk: Desk, without: WorkingOrder | null = null): Refusal | null {
    return (
      this.#short(order, desk, without) ??
      this.#wash(order, desk, without) ??
      this.#power(order, desk, without)
    )
  }

  /** Most shares a sale may trade now; null: no limit. What would go short where that is not allowed, does not. */
  sellable(order: WorkingOrder, position: Decimal): Decimal | null {
    if (order.buys) return null
    const byValue = order.extra !== null && order.extra.notional !== null
    const barred =
      !this.#mayShort(order.symbol) ||
      (this.#wholeShorts && (byValue || trunc(order.remaining) !== order.remaining))
    return barred ? max(position, ZERO) : null
  }

  #mayShort(symbol: string): boolean {
    return this.#shorts === 'all' || (this.#shorts === 'listed' && this.#shortable.has(symbol))
  }

  #short(order: WorkingOrder, desk: Desk, without: WorkingOrder | null): Refusal | null {
    if (this.#shorts === 'all' && !this.#wholeShorts) return null
    if (order.buys || isHeldLeg(order)) return null
    // A sale by value is bounded by the position when it fills, and so is one of the leg of an entry.
    const most = this.sellable(order, desk.account.position(order.symbol))
    if (most === null || order.remaining === ZERO) return null
    const selling = openQty(desk, order, without)
    const free = max(sub(most, selling), ZERO)
    if (order.remaining <= free) return null
    return refuse(
      'not_shortable',
      `${order.symbol} cannot be sold short: ${format(order.remaining)} asked, ${format(free)} free to sell`,
    )
  }

  /** Opposite orders of one's own that could meet; those of classes and trailing stops are exempt. */
  #wash(order: WorkingOrder, desk: Desk, without: WorkingOrder | null): Refusal | null {
    if (!this.#refusesWash || isExempt(order)) return null
    for (const other of desk.orders.values()) {
      if (other.symbol !== order.symbol || other.buys === order.buys || other === without) continue
      if (isExempt(other)) continue
      const mine = limitOf(order)
      const theirs = limitOf(other)
      const meets =
        mine === null || theirs === null || (order.buys ? mine >= theirs : theirs >= mine)
      if (!meets) continue
      return refuse(
        'wash_trade',
        `it could trade with order ${other.orderId} of the same account: use an order class, or cancel that one`,
      )
    }
    return null
  }

  #power(order: WorkingOrder, desk: Desk, without: WorkingOrder | null): Refusal | null {
    if (this.#multiplier === null || isHeldLeg(order) || order.all) return null
    const { equity, initial, maintenance } = this.#margin(desk)
    const small = equity < SMALL_ACCOUNT
    const multiplier = small ? 1 : this.#multiplier
    const { reserved, cost, opensShort } = this.#reserve(desk, order, without)
    if (cost === ZERO) return null
    if (opensShort && multiplier === 1) {
      return refuse(
        'not_shortable',
        small && this.#multiplier > 1
          ? `an account of less than ${format(SMALL_ACCOUNT)} sells nothing short`
          : 'a cash account sells nothing short',
      )
    }
    let power = desk.account.cash
    if (multiplier === 2) power = mul(max(sub(equity, initial), ZERO), parse('2'))
    if (multiplier === 4) {
      power = mul(max(sub(this.lastEquity ?? equity, maintenance), ZERO), parse('4'))
    }
    const free = max(sub(power, reserved), ZERO)
    if (cost <= free) return null
    return refuse(
      'insufficient_buying_power',
      `it needs ${format(cost)}, the buying power is ${format(free)}: send less, or cancel other orders`,
    )
  }

  /** Equity at the last prices, and the margin that positions need. A symbol without a price counts for nothing. */
  #margin(desk: Desk): { equity: Decimal; initial: Decimal; maintenance: Decimal } {
    let equity = desk.account.cash
    let initial: Decimal = ZERO
    let maintenance: Decimal = ZERO
    for (const symbol of desk.account.symbols()) {
      const close = desk.lastPrice(symbol)
      if (close === null) continue
      const price = fromNumber(close)
      const qty = desk.account.position(symbol)
      const value = mul(abs(qty), price)
      equity = add(equity, mul(qty, price))
      initial = add(initial, mul(value, HALF))
      maintenance = add(maintenance, maintenanceOf(qty, price, value))
    }
    return { equity, initial, maintenance }
  }

  /** Equity at the last prices. */
  equity(desk: Desk): Decimal {
    return this.#margin(desk).equity
  }

  /** What the orders there are have reserved, and what one more would need. Closing a position needs nothing. */
  #reserve(desk: Desk, order: WorkingOrder, without: WorkingOrder | null) {
    const closable = new Map<string, Decimal>()
    const groups = new Set<unknown>()
    let reserved: Decimal = ZERO
    const need = (one: WorkingOrder): { cost: Decimal; opening: Decimal } => {
      const key = `${one.buys ? 'b' : 's'}${one.symbol}`
      const position = desk.account.position(one.symbol)
      const left = closable.get(key) ?? max(one.buys ? sub(ZERO, position) : position, ZERO)
      const price = this.#priceOf(one, desk)
      if (price === null) return { cost: ZERO, opening: ZERO }
      const { notional } = one.extra ?? { notional: null }
      if (notional !== null && one.remaining === ZERO) {
        const opening = max(sub(notional, mul(left, price)), ZERO)
        return { cost: opening, opening }
      }
      const opening = max(sub(one.remaining, left), ZERO)
      closable.set(key, max(sub(left, one.remaining), ZERO))
      return { cost: mul(opening, price), opening }
    }
    for (const one of desk.orders.values()) {
      if (one === without || isHeldLeg(one)) continue
      const group = one.extra?.group ?? null
      // Of two legs one trades at most.
      if (group !== null && group.entry !== one) {
        if (groups.has(group)) continue
        groups.add(group)
      }
      reserved = add(reserved, need(one).cost)
    }
    const { cost, opening } = need(order)
    return { reserved, cost, opensShort: !order.buys && opening > 0 }
  }

  /** Price at which an order is reckoned; null: none is known, and it is not reckoned. */
  #priceOf(order: WorkingOrder, desk: Desk): Decimal | null {
    const quote = desk.books.get(order.symbol)?.quote ?? null
    const last = desk.lastPrice(order.symbol)
    const market = quote === null ? (last === null ? null : fromNumber(last)) : quote.ask
    const limit = limitOf(order) ?? (order.price === ZERO ? null : order.price)
    if (order.buys) return limit ?? market
    const short = market === null ? null : mul(market, SHORT_MARGIN)
    return limit === null ? short : short === null ? limit : max(limit, short)
  }
}

/** Maintenance margin of a position: 30 % of a long one, at least 5 a share of a short one, more of cheap shares. */
function maintenanceOf(qty: Decimal, price: Decimal, value: Decimal): Decimal {
  if (qty > 0) return price < CHEAP ? value : mul(value, LONG_MAINTENANCE)
  const shares = abs(qty)
  return price >= FIVE
    ? max(mul(shares, FIVE), mul(value, LONG_MAINTENANCE))
    : max(mul(shares, CHEAP), value)
}

function isHeldLeg(order: WorkingOrder): boolean {
  return order.extra?.held === true
}

function isExempt({ type, extra }: WorkingOrder): boolean {
  return type === 'trailing_stop' || (extra !== null && extra.group !== null)
}

/** Limit price of an order; null when it takes what the market gives. */
function limitOf({ type, price, extra }: WorkingOrder): Decimal | null {
  if (type === 'limit') return price
  return type === 'stop_limit' ? extra!.limit : null
}

/** Shares that other working orders of the same side and symbol may trade; of two legs one. */
function openQty(desk: Desk, order: WorkingOrder, without: WorkingOrder | null): Decimal {
  let sum: Decimal = ZERO
  const legs = new Map<unknown, Decimal>()
  for (const other of desk.orders.values()) {
    if (other === without || other === order || isHeldLeg(other)) continue
    if (other.symbol !== order.symbol || other.buys !== order.buys) continue
    const group = other.extra?.group ?? null
    if (group === null || group.entry === other) sum = add(sum, other.remaining)
    else legs.set(group, max(legs.get(group) ?? ZERO, other.remaining))
  }
  for (const qty of legs.values()) sum = add(sum, qty)
  return sum
}
