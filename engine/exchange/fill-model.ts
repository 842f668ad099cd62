import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { add, type Decimal, fromNumber, max, min, sub, toNumber } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { ExchangeSettingsError, portion, type Rate, rate, wholeShares } from './fees.ts'
import type { WorkingOrder } from './working-orders.ts'

/**
 * Where in a bar an order fills. The order of the numbers is the order of filling: what the open decides
 * comes first, then stops, then limits inside the bar, then the close; within one phase, first come first
 * served. A bar does not say which of its prices came first, so stops go before limits: the loss is taken.
 * `waits`: the bar is not one for this order, because of its session.
 */
export const PHASE = { none: 0, open: 1, stop: 2, limit: 3, close: 4, waits: 5 } as const

/** Prices of the bar at hand, exact. */
export interface BarPrices {
  open: Decimal
  high: Decimal
  low: Decimal
  close: Decimal
}

export function readPrices(bar: Bar, into: BarPrices): void {
  into.open = fromNumber(bar.open)
  into.high = fromNumber(bar.high)
  into.low = fromNumber(bar.low)
  into.close = fromNumber(bar.close)
}

/** The smallest price there is, so that slippage never makes a price of zero. */
const TICK: Decimal = 1

/** Basis points of a setting, checked. Throws ExchangeSettingsError. */
function readBps(name: 'slippageBps' | 'spreadBps' | 'impactBps', bps: number, most: number) {
  if (bps >= 0 && bps <= most) return bps
  throw new ExchangeSettingsError(`exchange.${name} is ${bps}: give basis points from 0 to ${most}`)
}

/** The rules of filling: pure functions of an order and a bar. */
export class FillModel {
  readonly sameClose: boolean
  readonly #through: boolean
  /** On bars, half the spread is in it. */
  readonly #slippage: Rate
  /** On quotes, which have their own spread. */
  readonly #quoteSlippage: Rate
  /** Fraction of the price that an order of the bar's whole volume moves it. */
  readonly #impact: number
  readonly #participation: Rate

  /** Throws ExchangeSettingsError when participation is not in 0–1 or basis points are out of range. */
  constructor(settings: ExchangeSettings) {
    const { participation } = settings
    if (!(participation >= 0 && participation <= 1)) {
      throw new ExchangeSettingsError(
        `exchange.participation is ${participation}: give a share of the volume from 0 to 1`,
      )
    }
    const slippage = readBps('slippageBps', settings.slippageBps, 10_000)
    const spread = readBps('spreadBps', settings.spreadBps ?? 0, 10_000)
    this.sameClose = settings.fill === 'same-close'
    this.#through = settings.limitFill === 'through'
    this.#slippage = rate(fromNumber((slippage + spread / 2) / 10_000))
    this.#quoteSlippage = rate(fromNumber(slippage / 10_000))
    this.#impact = readBps('impactBps', settings.impactBps ?? 0, 100_000) / 10_000
    this.#participation = rate(fromNumber(participation))
    if (participation > 0 && this.#participation.numerator === 0) {
      throw new ExchangeSettingsError(
        `exchange.participation is ${participation}: give at least 1e-9, or 0 for no limit`,
      )
    }
  }

  /** Where in the bar the order fills; PHASE.none when it does not. A stop_limit is asked as `entered` says. */
  phase(order: WorkingOrder, prices: BarPrices): number {
    const { type, timeInForce } = order
    if (type === 'market') {
      if (timeInForce === 'gtc' || timeInForce === 'day') {
        return this.sameClose ? PHASE.close : PHASE.open
      }
      if (timeInForce === 'cls') return PHASE.close
      return timeInForce === 'opg' || !this.sameClose ? PHASE.open : PHASE.close
    }
    if (type === 'close') return PHASE.close
    if (type === 'limit') return this.#limitPhase(order, prices)
    return stopPhase(order, prices)
  }

  /** A limit is worth its price or better: at the open when that is already better, else once reached. */
  #limitPhase(order: WorkingOrder, prices: BarPrices): number {
    const { price, buys, timeInForce } = order
    if (timeInForce === 'cls') {
      return this.reaches(buys, price, prices.close) ? PHASE.close : PHASE.none
    }
    // What is good for a moment only has the open: a later price of the bar is another moment.
    if (this.reaches(buys, price, prices.open)) return PHASE.open
    if (timeInForce !== 'gtc' && timeInForce !== 'day') return PHASE.none
    return this.reaches(buys, price, buys ? prices.low : prices.high) ? PHASE.limit : PHASE.none
  }

  /** Whether a limit trades at a price: touched, or traded through. */
  reaches(buys: boolean, limit: Decimal, price: Decimal): boolean {
    if (this.#through) return buys ? price < limit : price > limit
    return buys ? price <= limit : price >= limit
  }

  /**
   * Where a stop_limit, triggered inside the bar, fills in that bar: at the stop when the limit allows it. A limit
   * on the other side would need the market to come back, which the bar may have done before: it waits.
   */
  triggeredPhase(buys: boolean, stop: Decimal, limit: Decimal): number {
    return this.reaches(buys, limit, stop) ? PHASE.stop : PHASE.none
  }

  /**
   * What one share costs in that phase before slippage: a limit inside the bar its own price, a stop too, and a
   * stop_limit that was just triggered its stop.
   */
  price(order: WorkingOrder, phase: number, prices: BarPrices): Decimal {
    if (phase === PHASE.open) return prices.open
    if (phase === PHASE.close) return prices.close
    return phase === PHASE.stop && order.type === 'limit' ? order.extra!.stop : order.price
  }

  /**
   * A price with slippage against the buyer or the seller: basis points, half the assumed spread, and impact
   * = impactBps × √(qty ÷ volume). It may carry the price beyond the bar's range: the range is what others paid.
   * Without a volume (NaN or zero) there is no impact.
   */
  slipped(buys: boolean, price: Decimal, qty: Decimal, volume: number): Decimal {
    let slippage = portion(price, this.#slippage)
    if (this.#impact > 0 && volume > 0) {
      const share = Math.sqrt(toNumber(qty) / volume)
      slippage = add(slippage, fromNumber(toNumber(price) * this.#impact * share))
    }
    return buys ? add(price, slippage) : max(sub(price, slippage), TICK)
  }

  /** Slippage on a quote or a trade: basis points only. */
  slippedTick(buys: boolean, price: Decimal): Decimal {
    const slippage = portion(price, this.#quoteSlippage)
    return buys ? add(price, slippage) : max(sub(price, slippage), TICK)
  }

  /** Whether nothing can trade in a bar of this volume. Without participation no volume is looked at. */
  idle(volume: number): boolean {
    return volume === 0 && this.#participation.numerator > 0
  }

  /** Whether what a bar or a quote can trade is limited. */
  get limited(): boolean {
    return this.#participation.numerator > 0
  }

  /** Whether the price depends on the size. */
  get moves(): boolean {
    return this.#impact > 0
  }

  /** Whole shares that may trade in a bar of this volume; null: no limit. NaN: the source has no volume. */
  cap(volume: number): Decimal | null {
    if (this.#participation.numerator === 0 || !(volume >= 0)) return null
    return wholeShares(volume, this.#participation)
  }
}

/** A price that is kept to a limit, as that of a triggered stop_limit is. */
export function within(buys: boolean, price: Decimal, limit: Decimal): Decimal {
  return buys ? min(price, limit) : max(price, limit)
}

/** A stop fills at its price once reached, and at the open when the market has jumped over it. */
function stopPhase(order: WorkingOrder, { open, high, low }: BarPrices): number {
  const stop = order.price
  if (order.buys ? open >= stop : open <= stop) return PHASE.open
  return (order.buys ? high >= stop : low <= stop) ? PHASE.stop : PHASE.none
}
