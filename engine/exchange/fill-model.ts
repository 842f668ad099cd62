import type { ExchangeSettings } from '../../schemas/types.gen.ts'
import { add, type Decimal, fromNumber, max, sub } from '../decimal.ts'
import type { Bar } from '../market/bar.ts'
import { ExchangeSettingsError, portion, type Rate, rate, wholeShares } from './fees.ts'
import type { WorkingOrder } from './working-orders.ts'

/**
 * Where in a bar an order fills. The order of the numbers is the order of filling: what the open decides
 * comes first, then stops, then limits inside the bar, then the close; within one phase, first come first
 * served. A bar does not say which of its prices came first, so stops go before limits: the loss is taken.
 */
export const PHASE = { none: 0, open: 1, stop: 2, limit: 3, close: 4 } as const

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

/** The rules of filling: pure functions of an order and a bar. */
export class FillModel {
  readonly sameClose: boolean
  readonly #through: boolean
  readonly #slippage: Rate
  readonly #participation: Rate

  /** Throws ExchangeSettingsError when participation is not in 0–1 or slippage not in 0–10000 bps. */
  constructor(settings: ExchangeSettings) {
    const { participation, slippageBps } = settings
    if (!(participation >= 0 && participation <= 1)) {
      throw new ExchangeSettingsError(
        `exchange.participation is ${participation}: give a share of the volume from 0 to 1`,
      )
    }
    if (!(slippageBps >= 0 && slippageBps <= 10_000)) {
      throw new ExchangeSettingsError(
        `exchange.slippageBps is ${slippageBps}: give basis points from 0 to 10000`,
      )
    }
    this.sameClose = settings.fill === 'same-close'
    this.#through = settings.limitFill === 'through'
    this.#slippage = rate(fromNumber(slippageBps / 10_000))
    this.#participation = rate(fromNumber(participation))
    if (participation > 0 && this.#participation.numerator === 0) {
      throw new ExchangeSettingsError(
        `exchange.participation is ${participation}: give at least 1e-9, or 0 for no limit`,
      )
    }
  }

  /** Where in the bar the order fills; PHASE.none when it does not. */
  phase(order: WorkingOrder, prices: BarPrices): number {
    if (order.type === 'market') return this.sameClose ? PHASE.close : PHASE.open
    if (order.type === 'close') return PHASE.close
    if (order.type === 'stop') return stopPhase(order, prices)
    return this.#limitPhase(order, prices)
  }

  /** A limit is worth its price or better: at the open when that is already better, else once reached. */
  #limitPhase(order: WorkingOrder, { open, high, low }: BarPrices): number {
    const limit = order.price
    if (this.#through) {
      if (order.buys ? open < limit : open > limit) return PHASE.open
      return (order.buys ? low < limit : high > limit) ? PHASE.limit : PHASE.none
    }
    if (order.buys ? open <= limit : open >= limit) return PHASE.open
    return (order.buys ? low <= limit : high >= limit) ? PHASE.limit : PHASE.none
  }

  /**
   * What one share costs in that phase. Slippage goes against all but limit orders and may carry the
   * price beyond the bar's range: the range is what others paid.
   */
  price(order: WorkingOrder, phase: number, prices: BarPrices): Decimal {
    const price =
      phase === PHASE.open ? prices.open : phase === PHASE.close ? prices.close : order.price
    return order.type === 'limit' ? price : this.slipped(order.buys, price)
  }

  /** A price with slippage against the buyer or the seller. */
  slipped(buys: boolean, price: Decimal): Decimal {
    const slippage = portion(price, this.#slippage)
    return buys ? add(price, slippage) : max(sub(price, slippage), TICK)
  }

  /** Whether nothing can trade in a bar of this volume. Without participation no volume is looked at. */
  idle(volume: number): boolean {
    return volume === 0 && this.#participation.numerator > 0
  }

  /** Whole shares that may trade in a bar of this volume; null: no limit. NaN: the source has no volume. */
  cap(volume: number): Decimal | null {
    if (this.#participation.numerator === 0 || !(volume >= 0)) return null
    return wholeShares(volume, this.#participation)
  }
}

/** A stop fills at its price once reached, and at the open when the market has jumped over it. */
function stopPhase(order: WorkingOrder, { open, high, low }: BarPrices): number {
  const stop = order.price
  if (order.buys ? open >= stop : open <= stop) return PHASE.open
  return (order.buys ? high >= stop : low <= stop) ? PHASE.stop : PHASE.none
}
