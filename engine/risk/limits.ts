import type { RiskLimits, RiskVerdict } from '../../schemas/types.gen.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, abs, add, type Decimal, div, format, max, mul, parse, sub } from '../decimal.ts'

export type Check = RiskVerdict['checks'][number]

/** An order that risk is asked to approve, with its quantity resolved. */
export interface Proposal {
  symbol: string
  side: 'buy' | 'sell'
  qty: Decimal
  /** Price the order is valued at: its limit or stop, else the last close. */
  price: Decimal
  /** Limit or stop price; null for market orders. */
  orderPrice: Decimal | null
  lastClose: Decimal
  /** Signed shares held and signed shares that work. */
  position: Decimal
  working: Decimal
  /** It can only bring the position nearer to zero. */
  reducing: boolean
  /** Reservation that falls away with it: of the order that it replaces. */
  instead?: { qty: Decimal; notional: Decimal }
}

/** A limit: to compare, and as it is shown. */
export interface Limit {
  value: Decimal
  text: string
}

export type ParsedLimits = { readonly [K in keyof RiskLimits]-?: Limit | null }

export function parseLimits(limits: RiskLimits): ParsedLimits {
  const read = (text: string | undefined): Limit | null => {
    if (text === undefined) return null
    const value = parse(text)
    return { value, text: format(value) }
  }
  return {
    maxOrderNotional: read(limits.maxOrderNotional),
    maxPosition: read(limits.maxPosition),
    maxGrossExposure: read(limits.maxGrossExposure),
    priceCollar: read(limits.priceCollar),
    maxDailyLoss: read(limits.maxDailyLoss),
    maxDrawdown: read(limits.maxDrawdown),
  }
}

function check(rule: string, observed: Decimal, limit: Limit): Check {
  return { rule, observed: format(observed), limit: limit.text, ok: observed <= limit.value }
}

/** Fall of equity below a reference, as a fraction of the reference; zero for a gain. */
export function loss(reference: Decimal, equity: Decimal): Decimal {
  return reference > 0 && equity < reference ? div(sub(reference, equity), reference) : ZERO
}

/** Looks at every limit in force; orders that only reduce are held to the collar alone. */
export function checkLimits(
  limits: ParsedLimits,
  proposal: Proposal,
  references: { dayBase: Decimal; peak: Decimal },
  table: Readonly<StateTable>,
  checks: Check[],
): void {
  const { portfolio, orders } = table
  const { qty, price, reducing, instead } = proposal
  if (limits.priceCollar !== null && proposal.orderPrice !== null) {
    const distance = div(abs(sub(proposal.orderPrice, proposal.lastClose)), proposal.lastClose)
    checks.push(check('price_collar', distance, limits.priceCollar))
  }
  if (reducing) return
  if (portfolio.equity <= 0) {
    checks.push({ rule: 'equity', observed: format(portfolio.equity), limit: 'above 0', ok: false })
  }
  const notional = mul(qty, price)
  if (limits.maxOrderNotional !== null) {
    checks.push(check('max_order_notional', notional, limits.maxOrderNotional))
  }
  if (limits.maxPosition !== null) {
    const working = orders.working.get(proposal.symbol)
    const all =
      working === undefined ? ZERO : proposal.side === 'buy' ? working.buyQty : working.sellQty
    const same = instead === undefined ? all : sub(all, instead.qty)
    const held = proposal.side === 'buy' ? proposal.position : sub(ZERO, proposal.position)
    // The worst case: every working order of this side fills and none of the other.
    checks.push(check('max_position', max(ZERO, add(add(held, same), qty)), limits.maxPosition))
  }
  if (limits.maxGrossExposure !== null) {
    const others =
      instead === undefined ? orders.workingNotional : sub(orders.workingNotional, instead.notional)
    const exposure = add(add(portfolio.grossValue, others), notional)
    if (portfolio.equity > 0) {
      checks.push(
        check('max_gross_exposure', div(exposure, portfolio.equity), limits.maxGrossExposure),
      )
    }
  }
  if (limits.maxDailyLoss !== null) {
    checks.push(
      check('max_daily_loss', loss(references.dayBase, portfolio.equity), limits.maxDailyLoss),
    )
  }
  if (limits.maxDrawdown !== null) {
    checks.push(check('max_drawdown', loss(references.peak, portfolio.equity), limits.maxDrawdown))
  }
}
