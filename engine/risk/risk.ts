import type { RiskStateChanged } from '../../schemas/types.gen.ts'
import type { ChainEvent, Emit, EventOf, Processor } from '../chain/processor.ts'
import type { StateTable } from '../chain/state-table.ts'
import { ZERO, type Decimal, format, toNumber } from '../decimal.ts'
import type { Order } from '../trading/order-state.ts'
import { DAY_MS, formatTime } from '../time.ts'
import {
  askAgain,
  cancelOrphans,
  closeAfterAll,
  closeAfterExits,
  continueAll,
  continueCancelling,
  continueFlattening,
  type Flattening,
  lookAtShortfalls,
  renewBudget,
  takeBackEntries,
  type TakenBack,
  takeBack,
  undoFill,
  wantCancelled,
} from './closing.ts'
import { type Limit, loss, type ParsedLimits, parseLimits } from './limits.ts'
import { cancelOrder, judgeReplacement } from './replacing.ts'
import { judge, type SignalLike } from './review.ts'

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
  /** Symbols that an operator wants flat, until they are: cancels and fills may still be on their way. */
  flattening: Map<string, Flattening>
  /** Orders still to be cancelled, when there were more than fit into one step. */
  cancelling: { actor: string; reason: string; opening: boolean } | null
  /** Entries that were taken back, by order number. */
  takenBack: Map<number, TakenBack>
  /** By symbol, the close that ended while trading was halted and that exits had counted on. */
  shortfalls: Map<string, Order>
  /** Symbol of which the broker has split the orders, and the split itself is not heard of yet; null: none. */
  splitting: string | null
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
    'order.canceled',
    'order.expired',
    'order.rejected',
    'order.withheld',
    'order.replaced',
    'order.replace_rejected',
    'market.action',
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
    flattening: new Map(),
    cancelling: null,
    takenBack: new Map(),
    shortfalls: new Map(),
    splitting: null,
  }),
  handle(state, event, emit, table) {
    renewBudget()
    switch (event.type) {
      case 'market.bar':
        watch(state, event, emit, table)
        // A broker that refused to close is asked again at the next price.
        if (state.flattening.size > 0) {
          if (state.splitting === event.data.symbol) state.splitting = null
          askAgain(state, event.data.symbol, emit, table)
          continueFlattening(state, event.data.symbol, emit, table)
        }
        break
      case 'order.filled':
        continueAll(state, emit, table, undone(state, event, emit, table))
        cancelOrphans(event.data, emit, table)
        break
      case 'market.action':
        if (event.data.kind === 'rename') rename(state, event.data.symbol, event.data.newSymbol)
        if (state.splitting === event.data.symbol) {
          state.splitting = null
          continueAll(state, emit, table)
        }
        break
      case 'order.canceled':
        // What is held is not in new shares yet, and a close of it would be of the old ones.
        if (event.data.code === 'split') state.splitting = event.data.symbol
        // A position of what is not listed any more is paid out.
        if (event.data.code !== 'delisted')
          closeAfterAll(state, table.orders.fellShort, emit, table)
        continueAll(state, emit, table)
        break
      case 'order.expired':
      case 'order.rejected':
      case 'order.withheld':
        closeAfterAll(state, table.orders.fellShort, emit, table)
        continueAll(state, emit, table)
        break
      case 'order.replaced':
      case 'order.replace_rejected':
        continueAll(state, emit, table)
        break
      case 'signal.raised':
        answer(event.data, `strategy:${event.data.strategy}`, state, emit, table)
        break
      case 'signal.received':
        answer(event.data, `operator:${event.data.operator}`, state, emit, table)
        break
      case 'risk.state_changed':
        state.trading = event.data.to
        state.cause = event.data.code
        // An operator who resumes accepts what was lost; the end of a day forgives the drawdown nothing.
        if (event.data.code === 'operator_resume') {
          state.peak = table.portfolio.equity
          state.dayBase = table.portfolio.equity
        }
        if (event.data.to !== 'HALTED') lookAtShortfalls(state, emit, table)
        if (event.data.to !== 'ACTIVE') {
          // A resting order that opens would go on trading; one that protects a position stays.
          const { actor, code } = event.data
          wantCancelled(state, actor, code, true)
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
    continueCancelling(state, emit, table)
    return state
  },
}

/** Looks at a fill, and undoes it where it should not have been. Answers how many orders it sent. */
function undone(
  state: RiskState,
  event: EventOf<'order.filled'>,
  emit: Emit,
  table: Readonly<StateTable>,
): number {
  // The fill itself may have been the loss that ends trading: that counts before anything is sent for it.
  const trading = watch(state, event, emit, table)
  return undoFill(state, event.data, trading, emit, table) ? 1 : 0
}

function asFloat(limit: Limit | null | undefined): number {
  return limit === null || limit === undefined ? Number.POSITIVE_INFINITY : toNumber(limit.value)
}

/** Looks at the loss limits, and answers the trading state that follows. Floats decide whether to look closely, decimals decide. */
function watch(
  state: RiskState,
  event: ChainEvent,
  emit: Emit,
  table: Readonly<StateTable>,
): TradingState {
  const { portfolio } = table
  if (portfolio.day !== state.day) {
    state.day = portfolio.day
    state.dayBase = portfolio.dayStartEquity
  }
  const { equity } = portfolio
  if (equity >= state.peak) {
    state.peak = equity
    if (equity >= state.dayBase) return state.trading
  }
  const { limits } = state
  if (limits === null) return state.trading
  const value = Number(equity)
  const nearly = 1 + 1e-9
  if (
    limits.maxDrawdown !== null &&
    state.trading !== 'HALTED' &&
    Number(state.peak) - value > (state.drawdownLimit / nearly) * Number(state.peak)
  ) {
    const observed = loss(state.peak, equity)
    if (observed > limits.maxDrawdown.value) {
      change(state, emit, {
        to: 'HALTED',
        code: 'max_drawdown',
        observed: format(observed),
        limit: limits.maxDrawdown.text,
        actor: 'engine',
        reason: 'equity fell too far from its peak',
      })
      // The same event may be what a close waited for: a halt ends that wish, and this one counts already.
      for (const [symbol, { code }] of state.flattening) {
        if (code === 'close') state.flattening.delete(symbol)
      }
      return 'HALTED'
    }
  }
  if (
    limits.maxDailyLoss !== null &&
    state.trading === 'ACTIVE' &&
    Number(state.dayBase) - value > (state.dailyLossLimit / nearly) * Number(state.dayBase)
  ) {
    const observed = loss(state.dayBase, equity)
    if (observed > limits.maxDailyLoss.value) {
      change(state, emit, {
        to: 'REDUCING',
        code: 'max_daily_loss',
        observed: format(observed),
        limit: limits.maxDailyLoss.text,
        actor: 'engine',
        reason: 'too much was lost since the trading day began',
      })
      const dayEnd = (Math.floor((event.at - 1) / DAY_MS) + 1) * DAY_MS
      emit('timer.set', { name: DAILY_RESET, dueAt: formatTime(dayEnd) })
      return 'REDUCING'
    }
  }
  return state.trading
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
      if (state.trading !== 'ACTIVE') {
        change(state, emit, { to: 'ACTIVE', code: 'operator_resume', ...common })
      }
      break
    case 'cancel-all':
      wantCancelled(state, actor, reason, false)
      break
    case 'flatten': {
      wantCancelled(state, actor, reason, false)
      continueCancelling(state, emit, table)
      const symbols = new Set<string>()
      for (const holding of table.portfolio.holdings.values()) {
        if (holding.qty !== 0) symbols.add(holding.symbol)
      }
      for (const order of table.orders.open.values()) symbols.add(order.symbol)
      // Whatever of it still trades after its cancellation, and after all is flat, is undone too.
      for (const order of table.orders.open.values()) {
        takeBack(state, order.orderId, { source: `operator:${actor}`, signalId: controlId })
      }
      for (const symbol of symbols) {
        const wish = { source: `operator:${actor}`, signalId: controlId, code: 'flatten' as const }
        state.flattening.set(symbol, { ...wish, sent: 0, orderId: 0 })
      }
      continueAll(state, emit, table)
      break
    }
    case 'cancel-order':
      cancelOrder(event.data, emit, table)
      break
    case 'replace-order':
      emit('risk.verdict', judgeReplacement(event.data, state, table))
      break
  }
}

function rename(state: RiskState, symbol: string, newSymbol: string | undefined): void {
  const wish = state.flattening.get(symbol)
  if (wish === undefined || newSymbol === undefined) return
  state.flattening.delete(symbol)
  state.flattening.set(newSymbol, wish)
}

/** Gives a signal its verdict. A close also takes back the entries that would open the position again. */
function answer(
  signal: SignalLike,
  source: string,
  state: RiskState,
  emit: Emit,
  table: Readonly<StateTable>,
): void {
  const verdict = judge(signal, source, state, table)
  emit('risk.verdict', verdict)
  if (verdict.code === 'exits_canceled_first') {
    const by = { source, signalId: signal.signalId }
    for (const order of table.orders.open.values()) {
      if (order.symbol === signal.symbol && !order.reducing) takeBack(state, order.orderId, by)
    }
    closeAfterExits(state, signal.symbol, by, emit, table)
    return
  }
  // An exit that rests beside an entry, such as a stop, is no wish to be out now.
  const outNow = signal.side === 'close' && signal.orderType === 'market'
  if (!outNow || verdict.verdict !== 'approved') return
  takeBackEntries(state, signal.symbol, { source, signalId: signal.signalId }, emit, table)
}
