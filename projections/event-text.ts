import type {
  OrderIntended,
  RiskVerdict,
  SignalRaised,
  SignalReceived,
} from '../schemas/types.gen.ts'
import type { BookEvent } from './projection.ts'

/** One event of a book as a sentence for people. An event that has no words here is told by its type. */
export function eventText(event: BookEvent): string {
  switch (event.type) {
    case 'book.created':
      return `the book of ${event.data.account} began with ${event.data.cash} ${event.data.currency}`
    case 'engine.started':
      return `the engine started, version ${event.data.engineVersion}`
    case 'market.bar': {
      const { symbol, timeframe, time, open, high, low, close, revision } = event.data
      const which = revision > 0 ? `revision ${revision} of the ` : ''
      return `${which}${symbol} ${timeframe} bar of ${time}: open ${open}, high ${high}, low ${low}, close ${close}`
    }
    case 'market.action': {
      const { symbol, kind, value, newSymbol, exDate } = event.data
      const what = value === undefined ? '' : ` ${value}`
      return `${symbol}: ${kind}${what}${newSymbol === undefined ? '' : ` to ${newSymbol}`}, ex ${exDate}`
    }
    case 'feature.computed': {
      const values = Object.entries(event.data.values).map(([name, value]) => `${name} ${value}`)
      return `${event.data.strategy} saw ${values.join(', ')}`
    }
    case 'signal.raised':
      return `${event.data.strategy} asked to ${asked(event.data)}`
    case 'signal.received':
      return `${event.data.operator} asked to ${asked(event.data)}`
    case 'input.refused':
      return `an input on ${event.data.subject} was refused, ${event.data.code}: ${event.data.message}`
    case 'risk.verdict':
      return verdict(event.data)
    case 'risk.state_changed': {
      const { from, to, code, observed, limit, actor, reason } = event.data
      return `trading went from ${from} to ${to}, ${code}${against(observed, limit)}, by ${actor}: ${reason}`
    }
    case 'control.received': {
      const { action, actor, reason, orderId } = event.data
      const which = orderId === undefined ? '' : ` of order ${orderId}`
      return `${actor} ordered ${action}${which}: ${reason}`
    }
    case 'timer.set':
      return `timer ${event.data.name} was set for ${event.data.dueAt}`
    case 'timer.fired':
      return `timer ${event.data.name} fired`
    default:
      return orderText(event)
  }
}

function orderText(event: BookEvent): string {
  switch (event.type) {
    case 'order.intended':
      return intent(event.data)
    case 'order.cancel_requested':
      return `${event.data.actor} asked to cancel order ${event.data.orderId}: ${event.data.reason}`
    case 'order.accepted':
      return `the broker accepted order ${event.data.orderId}`
    case 'order.filled': {
      const { orderId, side, qty, symbol, price, fee, complete } = event.data
      const did = side === 'buy' ? 'bought' : 'sold'
      return `order ${orderId} ${did} ${qty} ${symbol} at ${price}, fee ${fee}${complete ? ', complete' : ''}`
    }
    case 'order.withheld':
      return `order ${event.data.orderId} was not sent, ${event.data.code}: ${event.data.reason}`
    case 'order.outcome_unknown':
      return `nobody knows whether order ${event.data.orderId} landed: ${event.data.reason}`
    case 'order.anomaly': {
      const { orderId, event: what, status, code } = event.data
      return `${what} does not fit order ${orderId}, which is ${status}: ${code}`
    }
    default: {
      const data = event.data as { orderId?: number; code?: string; reason?: string }
      const whose = data.orderId === undefined ? '' : ` order ${data.orderId}`
      const why = data.code === undefined ? '' : `, ${data.code}`
      const words = data.reason ? `: ${data.reason}` : ''
      return `${event.type.replace('order.', '').replaceAll('_', ' ')}${whose}${why}${words}`
    }
  }
}

function asked(signal: SignalRaised | SignalReceived): string {
  const { side, symbol, qty, notional, orderType, limitPrice, stopPrice, reason } = signal
  const size = qty ?? (notional === undefined ? '' : `${notional} worth of`)
  const price = limitPrice ?? stopPrice
  const at = price === undefined ? '' : ` at ${price}`
  const kind = orderType === 'market' ? '' : `, ${orderType}${at}`
  return `${[side, size, symbol].filter(Boolean).join(' ')}${kind}${reason ? `: ${reason}` : ''}`
}

function verdict(data: RiskVerdict): string {
  const { source, checks, code, rule, observed, limit, qty, orderIds } = data
  if (data.verdict === 'approved') {
    const orders = orderIds.length > 0 ? ` as order ${orderIds.join(', ')}` : ''
    const rules = checks.map(({ rule: name, observed: saw, limit: most }) =>
      saw === most ? `${name} ${saw}` : `${name} ${saw} of ${most}`,
    )
    return `risk approved ${qty ?? 'it'}${orders}: ${rules.join('; ') || 'no limit is set'}`
  }
  const by = rule === null || rule === code ? code : `${code} by rule ${rule}`
  return `risk denied ${source}: ${by}${against(observed, limit)}`
}

function against(observed: string | null, limit: string | null): string {
  if (observed === null) return ''
  return limit === null ? `, saw ${observed}` : `, saw ${observed}, allowed ${limit}`
}

function intent(data: OrderIntended): string {
  const { orderId, side, qty, symbol, type, limitPrice, stopPrice, timeInForce, notAfter } = data
  const prices = [limitPrice && `limit ${limitPrice}`, stopPrice && `stop ${stopPrice}`]
  const at = prices.filter(Boolean).join(', ')
  return `order ${orderId}: ${side} ${qty} ${symbol} ${type}${at ? ` (${at})` : ''}, ${timeInForce}, not to be sent after ${notAfter}`
}
