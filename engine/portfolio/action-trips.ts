import { abs, type Decimal } from '../decimal.ts'
import { type ActionKind, splitPosition } from '../market/actions.ts'
import type { RoundTrips } from './round-trips.ts'

/** What a corporate action changed of a position. */
export interface Acted {
  symbol: string
  kind: ActionKind
  value: Decimal | null
  newSymbol?: string
  /** Signed shares before it. */
  qty: Decimal
  /** Price at which fractions and delisted shares were paid. */
  close: Decimal
  /** ms */
  time: number
}

/**
 * Lets a corporate action change the open lots as it changes the position: a split keeps what they cost, a fraction
 * paid in cash and a delisting close them at the price paid. A dividend is no trade: lots and their gains stay.
 */
export function actOnTrips(trips: RoundTrips, acted: Acted): void {
  const { symbol, kind, value, newSymbol, qty, close, time } = acted
  if (qty === 0) return
  const paid = (shares: Decimal, price: Decimal): void => {
    const side = qty > 0 ? 'sell' : 'buy'
    trips.fill({ time, symbol, side, qty: abs(shares), price, fee: 0 })
  }
  if (kind === 'rename') {
    if (newSymbol !== undefined) trips.rename(symbol, newSymbol)
  } else if (kind === 'delist') paid(qty, value ?? close)
  else if (kind === 'split' && value !== null) {
    trips.split(symbol, value)
    const { fraction } = splitPosition(qty, value)
    if (fraction !== 0) paid(fraction, close)
  }
}
