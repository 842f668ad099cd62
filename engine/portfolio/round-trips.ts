import { add, type Decimal, div, format, min, mul, SCALE, sub, toNumber, ZERO } from '../decimal.ts'

/** One execution. `time` in ms, `qty` above zero, `fee` as charged (negative: a rebate). */
export interface TradedFill {
  time: number
  symbol: string
  side: 'buy' | 'sell'
  qty: Decimal
  price: Decimal
  fee: Decimal
  /** Who asked for it; the lot that it opens, and the trade that this becomes, carry it. */
  source?: string
}

/** A closed round trip: one quantity from the fill that opened it to the fill that closed it. */
export interface Trade {
  symbol: string
  side: 'long' | 'short'
  qty: Decimal
  /** ms */
  entryTime: number
  entryPrice: Decimal
  /** ms */
  exitTime: number
  exitPrice: Decimal
  /** Both sides' fees that fall on this quantity. */
  fees: Decimal
  /** Net of fees. */
  pnl: Decimal
  /** Net too: pnl / (entry price × qty); null when the entry cost nothing. */
  return: number | null
  /** Who opened it, where the fill said so. */
  source?: string
}

/** A quantity that was opened and not yet closed. */
export interface OpenLot {
  symbol: string
  side: 'long' | 'short'
  qty: Decimal
  time: number
  price: Decimal
  /** Money paid or received for the quantity at entry, without fees. */
  notional: Decimal
  /** Entry fees held for it. */
  fee: Decimal
  /** Who opened it, where the fill said so. */
  source?: string
}

/** What is known of all closed trades without keeping them. */
export interface TradeTotals {
  count: number
  /** Trades with a net pnl above zero. */
  wins: number
  /** Below zero; the rest broke even. */
  losses: number
  /** Sum of the net pnl of the wins. */
  grossProfit: Decimal
  /** Sum of the net pnl of the losses, zero or less. */
  grossLoss: Decimal
  fees: Decimal
  /** Highest and lowest `return`; null before the first. */
  best: number | null
  worst: number | null
  /** Sum over the trades, ms. */
  holdMs: number
}

/**
 * Matches fills into closed trades, first in first out per symbol. A closing fill that consumes
 * several lots gives one trade for each; one that crosses zero closes, then opens with the rest.
 *
 * No money is lost: notional and fee of a fill are shared out by quantity, each share rounded to
 * the nano and the last one taking what is left. So the pnl of all trades, plus the open lots
 * marked and less the fees they hold, is exactly the change in cash and position value.
 *
 * Memory grows with open lots only; closed trades go to `onTrade`.
 */
export class RoundTrips {
  readonly totals: TradeTotals = {
    count: 0,
    wins: 0,
    losses: 0,
    grossProfit: ZERO,
    grossLoss: ZERO,
    fees: ZERO,
    best: null,
    worst: null,
    holdMs: 0,
  }
  private readonly queues = new Map<string, LotQueue>()
  private readonly onTrade: ((trade: Trade) => void) | undefined

  constructor(onTrade?: (trade: Trade) => void) {
    this.onTrade = onTrade
  }

  /** Takes one fill, in order of time. Throws RangeError on a quantity of zero or less. */
  fill(fill: TradedFill): void {
    if (!(fill.qty > 0)) {
      throw new RangeError(
        `fill of ${format(fill.qty)} ${fill.symbol}: quantity must be above zero`,
      )
    }
    let queue = this.queues.get(fill.symbol)
    if (queue === undefined) {
      queue = new LotQueue()
      this.queues.set(fill.symbol, queue)
    }
    const side = fill.side === 'buy' ? 'long' : 'short'
    const rest: Portion = {
      qty: fill.qty,
      notional: mul(fill.price, fill.qty),
      fee: fill.fee,
    }
    let lot = queue.first
    while (lot !== undefined && lot.side !== side && rest.qty > 0) {
      const qty = min(lot.qty, rest.qty)
      const entry = take(lot, qty)
      const exit = take(rest, qty)
      if (lot.qty === 0) queue.shift()
      this.close(lot, entry, exit, fill)
      lot = queue.first
    }
    if (rest.qty > 0) {
      const { symbol, time, price, source } = fill
      queue.push({ symbol, side, time, price, ...rest, ...(source !== undefined && { source }) })
    }
  }

  /**
   * Applies a split to the open lots: `ratio` new shares for one old (2, 0.25). Costs stay, prices
   * follow; the lots together hold the old quantity × ratio, rounded once, as a position does.
   */
  split(symbol: string, ratio: Decimal): void {
    if (!(ratio > 0)) throw new RangeError(`split of ${symbol}: ratio must be above zero`)
    const queue = this.queues.get(symbol)
    if (queue === undefined) return
    let before: Decimal = ZERO
    let after: Decimal = ZERO
    for (const lot of queue) {
      before = add(before, lot.qty)
      const end = mul(before, ratio)
      lot.qty = sub(end, after)
      lot.price = div(lot.price, ratio)
      after = end
    }
  }

  /** The open lots go on under another symbol, behind those it has. */
  rename(symbol: string, newSymbol: string): void {
    const queue = this.queues.get(symbol)
    if (queue === undefined || symbol === newSymbol) return
    this.queues.delete(symbol)
    const there = this.queues.get(newSymbol)
    for (const lot of queue) {
      lot.symbol = newSymbol
      there?.push(lot)
    }
    if (there === undefined) this.queues.set(newSymbol, queue)
  }

  /** Takes over an open lot of another book, such as of a symbol that became this one. */
  take(lot: Readonly<OpenLot>): void {
    const queue = this.queues.get(lot.symbol) ?? new LotQueue()
    this.queues.set(lot.symbol, queue)
    queue.push({ ...lot })
  }

  /** Number of open lots: the round trips still under way. */
  get openCount(): number {
    let count = 0
    for (const queue of this.queues.values()) count += queue.size
    return count
  }

  /** Copies of the open lots, oldest first per symbol. */
  openLots(): OpenLot[] {
    const lots: OpenLot[] = []
    for (const queue of this.queues.values()) for (const lot of queue) lots.push({ ...lot })
    return lots
  }

  /** Lots and totals as they are now, in an object of its own, which reports trades to `onTrade`. */
  copy(onTrade?: (trade: Trade) => void): RoundTrips {
    const copy = new RoundTrips(onTrade)
    Object.assign(copy.totals, this.totals)
    for (const [symbol, queue] of this.queues) copy.queues.set(symbol, queue.copy())
    return copy
  }

  private close(lot: OpenLot, entry: Portion, exit: Portion, fill: TradedFill): void {
    const gross =
      lot.side === 'long' ? sub(exit.notional, entry.notional) : sub(entry.notional, exit.notional)
    const fees = add(entry.fee, exit.fee)
    const pnl = fees === 0 ? gross : sub(gross, fees)
    const gain = entry.notional > 0 ? toNumber(pnl) / toNumber(entry.notional) : null
    this.count(pnl, fees, gain, fill.time - lot.time)
    this.onTrade?.({
      symbol: fill.symbol,
      side: lot.side,
      qty: entry.qty,
      entryTime: lot.time,
      entryPrice: lot.price,
      exitTime: fill.time,
      exitPrice: fill.price,
      fees,
      pnl,
      return: gain,
      ...(lot.source !== undefined && { source: lot.source }),
    })
  }

  private count(pnl: Decimal, fees: Decimal, gain: number | null, holdMs: number): void {
    const totals = this.totals
    totals.count++
    if (pnl > 0) {
      totals.wins++
      totals.grossProfit = add(totals.grossProfit, pnl)
    } else if (pnl < 0) {
      totals.losses++
      totals.grossLoss = add(totals.grossLoss, pnl)
    }
    if (fees !== 0) totals.fees = add(totals.fees, fees)
    if (gain !== null) {
      if (totals.best === null || gain > totals.best) totals.best = gain
      if (totals.worst === null || gain < totals.worst) totals.worst = gain
    }
    totals.holdMs += holdMs
  }
}

/** A quantity with the money and the fee that belong to it. */
interface Portion {
  qty: Decimal
  notional: Decimal
  fee: Decimal
}

/** Takes `qty` out of a portion with its share of the money; all of it leaves nothing behind. */
function take(from: Portion, qty: Decimal): Portion {
  const whole = qty === from.qty
  const taken: Portion = {
    qty,
    notional: whole ? from.notional : share(from.notional, qty, from.qty),
    fee: whole ? from.fee : share(from.fee, qty, from.qty),
  }
  from.qty = sub(from.qty, qty)
  from.notional = sub(from.notional, taken.notional)
  from.fee = sub(from.fee, taken.fee)
  return taken
}

/** amount × part / total, rounded once to the nearest nano: mul then div would round small shares away. */
function share(amount: Decimal, part: Decimal, total: Decimal): Decimal {
  if (amount === 0) return ZERO
  if (typeof amount === 'number' && typeof part === 'number' && typeof total === 'number') {
    // The notional of whole shares, nearly every case, divides evenly: no bigint is needed.
    const units = total / SCALE
    if (total % SCALE === 0 && part % SCALE === 0 && amount % units === 0) {
      const quick = (amount / units) * (part / SCALE)
      if (Number.isSafeInteger(quick)) return quick
    }
  }
  const product = BigInt(amount) * BigInt(part)
  const divisor = BigInt(total)
  const quotient = product / divisor
  const rest = product % divisor
  const twice = rest < 0n ? -2n * rest : 2n * rest
  const rounded = twice < divisor ? quotient : product < 0n ? quotient - 1n : quotient + 1n
  const small = Number(rounded)
  return Number.isSafeInteger(small) ? small : rounded
}

/** First-in-first-out lots of one symbol; the consumed front is dropped in blocks. */
class LotQueue implements Iterable<OpenLot> {
  private lots: OpenLot[] = []
  private head = 0

  get first(): OpenLot | undefined {
    return this.lots[this.head]
  }

  get size(): number {
    return this.lots.length - this.head
  }

  push(lot: OpenLot): void {
    this.lots.push(lot)
  }

  shift(): void {
    this.head++
    if (this.head === this.lots.length) {
      this.lots.length = 0
      this.head = 0
    } else if (this.head >= 64 && this.head * 2 >= this.lots.length) {
      this.lots.splice(0, this.head)
      this.head = 0
    }
  }

  copy(): LotQueue {
    const copy = new LotQueue()
    for (const lot of this) copy.lots.push({ ...lot })
    return copy
  }

  *[Symbol.iterator](): Iterator<OpenLot> {
    for (let i = this.head; i < this.lots.length; i++) yield this.lots[i]!
  }
}
