import { add, type Decimal, format, neg, parse, sub, ZERO } from '../decimal.ts'

export interface AccountSnapshot {
  cash: string
  fees: string
  /** Signed shares by symbol; none at zero. */
  positions: Record<string, string>
}

/** The account as others may see it. */
export interface AccountView {
  /** May fall below zero: this exchange checks no margin. */
  readonly cash: Decimal
  /** Fees paid since the start. */
  readonly fees: Decimal
  /** Signed shares, negative when short, zero when flat. */
  position(symbol: string): Decimal
  /** Symbols with a position, in no promised order. */
  symbols(): IterableIterator<string>
}

/** Cash and positions at the simulated broker, exact to the ninth decimal. */
export class Account implements AccountView {
  cash: Decimal
  fees: Decimal = ZERO
  readonly #positions = new Map<string, Decimal>()

  constructor(cash: Decimal) {
    this.cash = cash
  }

  position(symbol: string): Decimal {
    return this.#positions.get(symbol) ?? ZERO
  }

  symbols(): IterableIterator<string> {
    return this.#positions.keys()
  }

  /** Books one fill: `qty` shares for `value`, and the fee on top. */
  apply(symbol: string, buys: boolean, qty: Decimal, value: Decimal, fee: Decimal): void {
    this.cash = sub(buys ? sub(this.cash, value) : add(this.cash, value), fee)
    this.fees = add(this.fees, fee)
    const position = add(this.position(symbol), buys ? qty : neg(qty))
    if (position === ZERO) this.#positions.delete(symbol)
    else this.#positions.set(symbol, position)
  }

  /** Money paid without an order; negative: received. */
  charge(amount: Decimal): void {
    this.cash = sub(this.cash, amount)
    this.fees = add(this.fees, amount)
  }

  /** Cash that came in or went out with a corporate action. */
  credit(amount: Decimal): void {
    this.cash = add(this.cash, amount)
  }

  /** Sets a position, zero: none. */
  hold(symbol: string, qty: Decimal): void {
    if (qty === ZERO) this.#positions.delete(symbol)
    else this.#positions.set(symbol, qty)
  }

  snapshot(): AccountSnapshot {
    const positions: Record<string, string> = {}
    for (const [symbol, qty] of this.#positions) positions[symbol] = format(qty)
    return { cash: format(this.cash), fees: format(this.fees), positions }
  }

  restore(from: AccountSnapshot): void {
    this.cash = parse(from.cash)
    this.fees = parse(from.fees)
    this.#positions.clear()
    for (const [symbol, qty] of Object.entries(from.positions)) {
      this.#positions.set(symbol, parse(qty))
    }
  }
}
