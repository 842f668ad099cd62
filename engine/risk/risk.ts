import type { RiskStateChanged } from '../../schemas/types.gen.ts'
import type { ChainEvent, Emit, EventOf, Processor } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, type Decimal, format, toNumber } from '../decimal.ts'
import { DAY_MS, formatTime } from '../time.ts'
import { closable, type Order } from '../trading/orders.ts'
import { type Limit, loss, type ParsedLimits, parseLimits } from './limits.ts'
import { judge } from './review.ts'

export type TradingState = 'ACTIVE' | 'REDUCING' | 'HALTED'

export interface RiskState {
  version: number
  limits: ParsedLimits | null
  /** maxDailyLoss and maxDrawdown as floats, for the look at every bar; Infinity where there is none. */
  dailyLossLimit: number
  drawdownLimit: number
  trading: TradingState
  /** Code of what led to the trading state. */
  cause: string
  /** Equity that daily loss and drawdown are measured from; a resume takes today's equity for both. */
  day: number
  dayBase: Decimal
  peak: Decimal
}

const DAILY_RESET = 'daily-loss-reset'
const SEVERITY: Readonly<Record<TradingState, number>> = { ACTIVE: 0, REDUCING: 1, HALTED: 2 }

/**
 * The gate between signals and orders. Every signal gets exactly one verdict, with the rule, what it saw
 * and what it allows. ACTIVE trades, REDUCING only closes, HALTED sends nothing; leaving ACTIVE cancels the
 * working orders that open a position. The state is latched in the book. A daily loss beyond its limit reduces until the trading day ends, a drawdown beyond its limit
 * halts until an operator resumes.
 */
export const riskProcessor: Processor<RiskState> = {
  name: 'risk',
  handles: [
    'book.created',
    'engine.started',
    'market.bar',
    'order.filled',
    'signal.raised',
    'signal.received',
    'risk.state_changed',
    'control.received',
    'timer.fired',
  ],
  initial: () => ({
    version: 0,
    limits: null,
    dailyLossLimit: Number.POSITIVE_INFINITY,
    drawdownLimit: Number.POSITIVE_INFINITY,
    trading: 'ACTIVE',
    cause: 'started',
    day: Number.NEGATIVE_INFINITY,
    dayBase: ZERO,
    peak: ZERO,
  }),
  handle(state, event, emit, table) {
    switch (event.type) {
      case 'market.bar':
      case 'order.filled':
        if (state.limits !== null) watch(state, event, emit, table)
        break
      case 'signal.raised':
        emit('risk.verdict', judge(event.data, `strategy:${event.data.strategy}`, state, table))
        break
      case 'signal.received':
        emit('risk.verdict', judge(event.data, `operator:${event.data.operator}`, state, table))
        break
      case 'risk.state_changed':
        state.trading = event.data.to
        state.cause = event.data.code
        if (event.data.to === 'ACTIVE') {
          state.peak = table.portfolio.equity
          state.dayBase = table.portfolio.equity
        } else {
          // A resting order that opens would go on trading; one that protects a position stays.
          const { actor, code } = event.data
          cancelWorking(actor, code, (order) => !order.reducing, emit, table)
        }
        break
      case 'control.received':
        control(state, event, emit, table)
        break
      case 'timer.fired':
        if (event.data.name === DAILY_RESET && state.cause === 'max_daily_loss') {
          change(state, emit, {
            to: 'ACTIVE',
            code: 'day_ended',
            observed: null,
            limit: null,
            actor: 'engine',
            reason: 'the trading day of the loss is over',
          })
        }
        break
      case 'book.created':
        state.peak = table.portfolio.equity
        state.dayBase = table.portfolio.equity
        break
      case 'engine.started':
        if (state.version !== table.settings.version) {
          state.version = table.settings.version
          const limits = table.settings.settings!.risk
          state.limits = limits === null ? null : parseLimits(limits)
          state.dailyLossLimit = asFloat(state.limits?.maxDailyLoss)
          state.drawdownLimit = asFloat(state.limits?.maxDrawdown)
        }
        break
      default:
        break
    }
    return state
  },
}

function asFloat(limit: Limit | null | undefined): number {
  return limit === null || limit === undefined ? Number.POSITIVE_INFINITY : toNumber(limit.value)
}

/** Looks at the loss limits. Floats decide whether to look closely, decimals decide. */
function watch(state: RiskState, event: ChainEvent, emit: Emit, table: Readonly<StateTable>): void {
  const { portfolio } = table
  if (portfolio.day !== state.day) {
    state.day = portfolio.day
    state.dayBase = portfolio.dayStartEquity
  }
  const { equity } = portfolio
  if (equity >= state.peak) {
    state.peak = equity
    if (equity >= state.dayBase) return
  }
  const value = Number(equity)
  const nearly = 1 + 1e-9
  if (
    state.trading !== 'HALTED' &&
    Number(state.peak) - value > (state.drawdownLimit / nearly) * Number(state.peak)
  ) {
    const observed = loss(state.peak, equity)
    if (observed > state.limits!.maxDrawdown!.value) {
      change(state, emit, {
        to: 'HALTED',
        code: 'max_drawdown',
        observed: format(observed),
        limit: state.limits!.maxDrawdown!.text,
        actor: 'engine',
        reason: 'equity fell too far from its peak',
      })
      return
    }
  }
  if (
    state.trading === 'ACTIVE' &&
    Number(state.dayBase) - value > (state.dailyLossLimit / nearly) * Number(state.dayBase)
  ) {
    const observed = loss(state.dayBase, equity)
    if (observed > state.limits!.maxDailyLoss!.value) {
      change(state, emit, {
        to: 'REDUCING',
        code: 'max_daily_loss',
        observed: format(observed),
        limit: state.limits!.maxDailyLoss!.text,
        actor: 'engine',
        reason: 'too much was lost since the trading day began',
      })
      const dayEnd = (Math.floor((event.at - 1) / DAY_MS) + 1) * DAY_MS
      emit('timer.set', { name: DAILY_RESET, dueAt: formatTime(dayEnd) })
    }
  }
}

function change(state: RiskState, emit: Emit, data: Omit<RiskStateChanged, 'from'>): void {
  emit('risk.state_changed', { from: state.trading, ...data })
}

function control(
  state: RiskState,
  event: EventOf<'control.received'>,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const { action, actor, reason, controlId } = event.data
  const common = { observed: null, limit: null, actor, reason }
  switch (action) {
    case 'halt':
      if (SEVERITY[state.trading] < SEVERITY.HALTED || state.cause !== 'operator_halt') {
        change(state, emit, { to: 'HALTED', code: 'operator_halt', ...common })
      }
      break
    case 'resume':
      change(state, emit, { to: 'ACTIVE', code: 'operator_resume', ...common })
      break
    case 'cancel-all':
      cancelWorking(actor, reason, () => true, emit, table)
      break
    case 'flatten': {
      cancelWorking(actor, reason, () => true, emit, table)
      let next = table.orders.lastOrderId
      for (const holding of table.portfolio.holdings.values()) {
        if (holding.qty === 0) continue
        const qty = closable(table, holding.symbol)
        if (qty <= 0) continue
        next++
        emit('risk.verdict', {
          signalId: `${controlId}:${holding.symbol}`,
          source: `operator:${actor}`,
          verdict: 'approved',
          orderIds: [next],
          code: 'flatten',
          rule: null,
          observed: null,
          limit: null,
          qty: format(qty),
          checks: [],
          order: {
            symbol: holding.symbol,
            side: holding.qty > 0 ? 'sell' : 'buy',
            type: 'market',
            timeInForce: 'gtc',
          },
        })
      }
      break
    }
  }
}

function cancelWorking(
  actor: string,
  reason: string,
  which: (order: Order) => boolean,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  for (const order of table.orders.open.values()) {
    if (!order.cancelRequested && which(order)) {
      emit('order.cancel_requested', { orderId: order.orderId, actor, reason })
    }
  }
}
