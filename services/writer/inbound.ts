import type { EventType, MarketBar } from '../../schemas/types.gen.ts'
import { validateBody, validateEvent } from '../../schemas/validate.ts'
import { parse as parseDecimal } from '../../engine/decimal.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { CLOCK_HEADER, REPORTS_HEADER } from '../../engine/ports/headers.ts'
import { formatTime, parseTime } from '../../engine/time.ts'
import { isReport } from '../../engine/trading/transitions.ts'
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
}

/** Reads a message into an input; whatever is wrong with it becomes an input.refused, never an exception. */
export function readInbound(message: InboundMessage, rules: InboundRules): Input {
  try {
    if (message.subject.startsWith('md.')) return readMarket(message)
    if (message.subject.startsWith('reports.')) return readReport(message)
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
  if (kind === 'trade' || kind === 'quote')
    return {
      type: 'market.bar',
      data: null,
      clock: Number.NaN,
      after: 0,
      refusal: null,
      ignored: true,
    }
  if (kind !== 'bar')
    throw new Refusal('unknown_subject', `md.${kind} is neither bar, trade nor quote`)
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
  const after = Number(message.headers[REPORTS_HEADER] ?? 0)
  return {
    type: 'market.bar',
    data: bar,
    clock: time + TIMEFRAME_MS[bar.timeframe as Timeframe],
    after: Number.isSafeInteger(after) && after > 0 ? after : 0,
    refusal: null,
  }
}

function readReport(message: InboundMessage): Input {
  const body = readJson(message)
  const { type, version, data } = body
  // Only what a broker can say: an intent that came this way would be an order past risk.
  if (typeof type !== 'string' || !isReport(type as EventType)) {
    throw new Refusal(
      'invalid_report',
      '/type must name what became of an order, such as order.filled',
    )
  }
  const checked = validateEvent(type as EventType, typeof version === 'number' ? version : 0, data)
  if (!checked.ok) throw new Refusal('invalid_report', faultText(checked.errors))
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

const ACTIONS = ['halt', 'resume', 'cancel-all', 'flatten']

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
  return {
    type: 'control.received',
    data: {
      action,
      actor: body.actor,
      reason: body.reason,
      controlId: ownId(message) ?? messageHash(message),
      storedAt: formatTime(message.storedAt),
    },
    clock: Number.NaN,
    after: 0,
    refusal: null,
  }
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
