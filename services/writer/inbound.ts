import type { ControlCommand, EventType, MarketAction, MarketBar } from '../../schemas/types.gen.ts'
import { validateBody, validateEvent } from '../../schemas/validate.ts'
import { parse as parseDecimal } from '../../engine/decimal.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { CLOCK_HEADER, REPORTS_HEADER, RUN_HEADER } from '../../engine/ports/headers.ts'
import { formatTime, parseTime } from '../../engine/time.ts'
import { isBrokerInput } from '../../engine/trading/transitions.ts'
import { readManualSignal, type SignalRules } from './manual-signal.ts'
import { faultText, messageHash, ownId, readJson, Refusal } from './message.ts'

/** An input that may be sequenced. */
export interface Input {
  type: EventType
  /** In recorded form. */
  data: unknown
  /** Clock of the data, ms; NaN where the message has none. */
  clock: number
  /** Broker report that must be sequenced before this; 0 for none. */
  after: number
  /** Why it is refused; its data is then that of an input.refused. */
  refusal: { code: string; message: string } | null
  /** No decision consumes it: acknowledged in its turn, and not recorded. */
  ignored?: true
}

const KEPT_PAYLOAD = 2048
/** Times beyond it leave no room for what is reckoned from them; stamps have four digits for the year. */
const LATEST_MS = Date.UTC(9999, 0, 1)

export interface InboundRules extends SignalRules {
  /** Wall clock, ms. */
  now(): number
  /** Id of this start of the engine; unless given, what the executor of any start found out is taken. */
  run?: string
}

/** Reads a message into an input; whatever is wrong with it becomes an input.refused, never an exception. */
export function readInbound(message: InboundMessage, rules: InboundRules): Input {
  try {
    if (message.subject.startsWith('md.')) return readMarket(message)
    if (message.subject.startsWith('reports.')) return readReport(message, rules)
    if (message.subject.startsWith('control.')) return readControl(message)
    if (message.subject.startsWith('signals.manual.')) return readSignal(message, rules)
    throw new Refusal('unknown_subject', `nothing is expected on ${message.subject}`)
  } catch (error) {
    // Whatever a message can make a reader throw must not stop the writer: it would come again for ever.
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(
            'unreadable',
            'the message cannot be read: it is nested too deep or malformed',
          )
    return refused(message, refusal)
  }
}

function readMarket(message: InboundMessage): Input {
  const [, kind, timeframe] = message.subject.split('.')
  // Trades and quotes reach the book only where a strategy subscribes to them; none does yet.
  if (kind === 'trade' || kind === 'quote') return IGNORED
  if (kind === 'action') return readAction(message)
  if (kind !== 'bar')
    throw new Refusal('unknown_subject', `md.${kind} is neither bar, trade, quote nor action`)
  const body = readJson(message)
  body.volume ??= null
  body.revision ??= 0
  const checked = validateEvent('market.bar', 1, body)
  if (!checked.ok) throw new Refusal('invalid_bar', faultText(checked.errors))
  const bar = body as unknown as MarketBar
  if (bar.timeframe !== timeframe) {
    throw new Refusal(
      'invalid_bar',
      `/timeframe is ${bar.timeframe}, the subject says ${timeframe}`,
    )
  }
  const time = parseTime(bar.time)
  if (!(time < LATEST_MS)) {
    throw new Refusal(
      'invalid_bar',
      `/time ${bar.time} does not exist, or lies beyond the year 9998`,
    )
  }
  const open = parseDecimal(bar.open)
  const high = parseDecimal(bar.high)
  const low = parseDecimal(bar.low)
  const close = parseDecimal(bar.close)
  if (!(low > 0 && low <= open && low <= close && high >= open && high >= close)) {
    throw new Refusal(
      'invalid_bar',
      `prices must be above zero with low ≤ open, close ≤ high; they are open ${bar.open}, high ${bar.high}, low ${bar.low}, close ${bar.close}`,
    )
  }
  if (bar.volume !== null && parseDecimal(bar.volume) < 0) {
    throw new Refusal('invalid_bar', `/volume ${bar.volume} is below zero`)
  }
  return {
    type: 'market.bar',
    data: bar,
    clock: time + TIMEFRAME_MS[bar.timeframe as Timeframe],
    after: reportBefore(message),
    refusal: null,
  }
}

/** Broker report that must be sequenced before what a feed says; 0 for none. */
function reportBefore(message: InboundMessage): number {
  const after = Number(message.headers[REPORTS_HEADER] ?? 0)
  return Number.isSafeInteger(after) && after > 0 ? after : 0
}

function readAction(message: InboundMessage): Input {
  const body = readJson(message)
  const checked = validateEvent('market.action', 1, body)
  if (!checked.ok) throw new Refusal('invalid_action', faultText(checked.errors))
  const { kind, value, newSymbol, exDate, time: text } = body as unknown as MarketAction
  const time = parseTime(text)
  if (!(time < LATEST_MS) || Number.isNaN(parseTime(exDate))) {
    throw new Refusal(
      'invalid_action',
      `/time ${text} or /exDate ${exDate} does not exist, or lies beyond the year 9998`,
    )
  }
  if (value === undefined && (kind === 'split' || kind === 'dividend')) {
    throw new Refusal('invalid_action', `/value is needed for a ${kind}`)
  }
  if (value !== undefined && parseDecimal(value) <= 0) {
    throw new Refusal('invalid_action', `/value ${value} is below half a billionth`)
  }
  if ((newSymbol === undefined) === (kind === 'rename')) {
    throw new Refusal('invalid_action', '/newSymbol goes with a rename, and only with that')
  }
  return {
    type: 'market.action',
    data: body,
    clock: time,
    after: reportBefore(message),
    refusal: null,
  }
}

function readReport(message: InboundMessage, rules: InboundRules): Input {
  const body = readJson(message)
  const { type, version, data } = body
  // Only what a broker can say: an intent that came this way would be an order past risk.
  if (typeof type !== 'string' || !isBrokerInput(type as EventType)) {
    throw new Refusal(
      'invalid_report',
      '/type must name what became of an order or the account, such as order.filled',
    )
  }
  const checked = validateEvent(type as EventType, typeof version === 'number' ? version : 0, data)
  if (!checked.ok) throw new Refusal('invalid_report', faultText(checked.errors))
  const run = message.headers[RUN_HEADER]
  // Found out by the executor of another start, which may have been paused since: this start finds it out for itself.
  if (run !== undefined && rules.run !== undefined && run !== rules.run) return IGNORED
  const clock = Number(message.headers[CLOCK_HEADER] ?? Number.NaN)
  const sequence = (data as { brokerSequence?: number }).brokerSequence
  return {
    type: type as EventType,
    data,
    clock: Number.isSafeInteger(clock) && clock >= 0 && clock < LATEST_MS ? clock : Number.NaN,
    // Reports of one broker are taken in its own order, without gaps.
    after: sequence === undefined ? 0 : sequence - 1,
    refusal: null,
  }
}

const IGNORED: Input = {
  type: 'market.bar',
  data: null,
  clock: Number.NaN,
  after: 0,
  refusal: null,
  ignored: true,
}

const ACTIONS = ['halt', 'resume', 'cancel-all', 'flatten', 'cancel-order', 'replace-order']
/** What a replacement may change; none of it goes with another control. */
const CHANGES = [
  'qty',
  'limitPrice',
  'stopPrice',
  'trailAmount',
  'trailPercent',
  'timeInForce',
] as const

function readControl(message: InboundMessage): Input {
  const action = message.subject.slice('control.'.length)
  if (!ACTIONS.includes(action)) {
    throw new Refusal(
      'unknown_action',
      `there is no control "${action}"; there are ${ACTIONS.join(', ')}`,
    )
  }
  const body = readJson(message)
  const checked = validateBody('control-command', body)
  if (!checked.ok) throw new Refusal('invalid_control', faultText(checked.errors))
  const command = body as unknown as ControlCommand
  const faults = controlFaults(action, command)
  if (faults.length > 0) throw new Refusal('invalid_control', faults.join('; '))
  const { actor, reason, ...order } = command
  return {
    type: 'control.received',
    data: {
      action,
      actor,
      reason,
      controlId: ownId(message) ?? messageHash(message),
      storedAt: formatTime(message.storedAt),
      ...order,
    },
    clock: Number.NaN,
    after: 0,
    refusal: null,
  }
}

/** What the schema alone cannot say: which fields go with which control. Each fault begins with the pointer. */
export function controlFaults(action: string, command: ControlCommand): string[] {
  const faults: string[] = []
  const ofOrder = action === 'cancel-order' || action === 'replace-order'
  if (ofOrder && command.orderId === undefined) faults.push(`/orderId is needed for ${action}`)
  if (!ofOrder && command.orderId !== undefined) {
    faults.push(`/orderId does not go with ${action}; it goes with cancel-order, replace-order`)
  }
  const changes = CHANGES.filter((field) => command[field] !== undefined)
  if (action === 'replace-order') {
    if (changes.length === 0) faults.push(`/${CHANGES.join(', /')}: at least one is needed`)
  } else for (const field of changes) faults.push(`/${field} goes with replace-order only`)
  return faults
}

function readSignal(message: InboundMessage, rules: InboundRules): Input {
  return {
    type: 'signal.received',
    data: readManualSignal(message, rules),
    clock: Number.NaN,
    after: 0,
    refusal: null,
  }
}

function refused(message: InboundMessage, error: Refusal): Input {
  const operator = /^signals\.manual\.([A-Za-z0-9_-]{1,64})$/.exec(message.subject)?.[1]
  // Named as it would have been named had it been taken.
  const signed = message.headers['webhook-signature'] !== undefined
  const id = signed ? message.headers['webhook-id']?.slice(0, 128) : ownId(message)
  const signalId = operator === undefined ? undefined : id || messageHash(message)
  return {
    type: 'input.refused',
    data: {
      subject: message.subject.slice(0, 512),
      stream: message.stream,
      sequence: message.sequence,
      code: error.code,
      message: error.message.slice(0, 2000),
      payload: new TextDecoder().decode(message.payload.subarray(0, KEPT_PAYLOAD)),
      ...(operator !== undefined && { operator }),
      ...(signalId !== undefined && { signalId }),
      storedAt: formatTime(message.storedAt),
    },
    clock: Number.NaN,
    after: 0,
    refusal: { code: error.code, message: error.message },
  }
}
