import type { EventType, MarketBar } from '../../schemas/types.gen.ts'
import { validateBody, validateEvent } from '../../schemas/validate.ts'
import { parse as parseDecimal } from '../../engine/decimal.ts'
import { TIMEFRAME_MS, type Timeframe } from '../../engine/market/bar.ts'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { formatTime, parseTime } from '../../engine/time.ts'
import type { Identities } from './identity.ts'
import { readManualSignal, type SignalRules } from './manual-signal.ts'
import { faultText, messageHash, readJson, Refusal } from './message.ts'

/** An input that may be sequenced. */
export interface Input {
  kind: 'input'
  type: EventType
  data: unknown
  /** Clock of the data, ms; NaN where the message has none. */
  clock: number
  /** Broker report that must be sequenced before this; 0 for none. */
  after: number
  /** Remembers the input's identity, once it is in a step. */
  remember(identities: Identities): void
  /** Whether it is in the book already; looked at when it is its turn. */
  known(identities: Identities): boolean
  /** Why it is refused; its data is then that of an input.refused. */
  refusal: { code: string; message: string } | null
}

/** Nothing to record: data that no decision consumes. */
export interface Ignored {
  kind: 'ignored'
}

const KEPT_PAYLOAD = 2048

export interface InboundRules extends SignalRules {
  /** Wall clock, ms. */
  now(): number
}

/** Reads a message into an input; whatever is wrong with it becomes an input.refused, never an exception. */
export function readInbound(message: InboundMessage, rules: InboundRules): Input | Ignored {
  try {
    if (message.subject.startsWith('md.')) return readMarket(message)
    if (message.subject.startsWith('reports.')) return readReport(message)
    if (message.subject.startsWith('control.')) return readControl(message)
    if (message.subject.startsWith('signals.manual.')) return readSignal(message, rules)
    throw new Refusal('unknown_subject', `nothing is expected on ${message.subject}`)
  } catch (error) {
    if (error instanceof Refusal) return refused(message, error)
    throw error
  }
}

function readMarket(message: InboundMessage): Input | Ignored {
  const [, kind, timeframe] = message.subject.split('.')
  // Trades and quotes reach the book only where a strategy subscribes to them; none does yet.
  if (kind === 'trade' || kind === 'quote') return { kind: 'ignored' }
  if (kind !== 'bar')
    throw new Refusal('unknown_subject', `md.${kind} is neither bar, trade nor quote`)
  const body = { revision: 0, volume: null, ...readJson(message) }
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
  if (Number.isNaN(time)) throw new Refusal('invalid_bar', `/time ${bar.time} does not exist`)
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
  const after = Number(message.headers['bitacora-reports'] ?? 0)
  const input: Input = {
    kind: 'input',
    type: 'market.bar',
    data: bar,
    clock: time + TIMEFRAME_MS[bar.timeframe as Timeframe],
    after: Number.isSafeInteger(after) && after > 0 ? after : 0,
    // The engine numbers revisions itself: what a feed claims is overwritten.
    known(identities) {
      const revision = identities.barRevision(bar)
      if (revision !== null) bar.revision = revision
      return revision === null
    },
    remember: (identities) => identities.addBar(bar),
    refusal: null,
  }
  return input
}

function readReport(message: InboundMessage): Input {
  const body = readJson(message)
  const type = body.type as EventType
  if (typeof type !== 'string' || !type.startsWith('order.')) {
    throw new Refusal('invalid_report', `/type must name an order event, not ${String(body.type)}`)
  }
  const checked = validateEvent(type, Number(body.version), body.data)
  if (!checked.ok) throw new Refusal('invalid_report', faultText(checked.errors))
  const data = body.data as {
    orderId: number
    brokerSequence?: number
    attempt?: number
  }
  const clock = Number(message.headers['bitacora-clock'] ?? Number.NaN)
  const sequence = data.brokerSequence
  const key = `${type}:${data.orderId}:${data.attempt ?? 0}`
  return {
    kind: 'input',
    type,
    data: body.data,
    clock,
    // Reports of one broker are taken in its own order, without gaps.
    after: sequence === undefined ? 0 : sequence - 1,
    known: (identities) =>
      sequence === undefined ? identities.has(key) : sequence <= identities.brokerSequence,
    remember(identities) {
      if (sequence === undefined) identities.add(key)
      else identities.brokerSequence = sequence
    },
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
  const controlId = message.headers['nats-msg-id'] ?? messageHash(message)
  const key = `control:${controlId}`
  return {
    kind: 'input',
    type: 'control.received',
    data: {
      action,
      actor: body.actor,
      reason: body.reason,
      controlId,
      storedAt: formatTime(message.storedAt),
    },
    clock: Number.NaN,
    after: 0,
    known: (identities) => identities.has(key),
    remember: (identities) => identities.add(key),
    refusal: null,
  }
}

function readSignal(message: InboundMessage, rules: InboundRules): Input {
  const data = readManualSignal(message, rules)
  const { operator, signalId } = data
  return {
    kind: 'input',
    type: 'signal.received',
    data,
    clock: Number.NaN,
    after: 0,
    known: (identities) => identities.hasSignal(operator, signalId),
    remember: (identities) => identities.addSignal(operator, signalId, message.storedAt),
    refusal: null,
  }
}

function refused(message: InboundMessage, error: Refusal): Input {
  const key = `refused:${message.stream}:${message.sequence}:${message.storedAt}`
  const operator = /^signals\.manual\.([A-Za-z0-9_-]{1,64})$/.exec(message.subject)?.[1]
  const id = message.headers['webhook-id'] ?? message.headers['nats-msg-id']
  const signalId =
    operator === undefined ? undefined : (id ?? messageHash(message)).slice(0, 128) || 'empty'
  return {
    kind: 'input',
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
    known: (identities) => identities.has(key),
    remember: (identities) => identities.add(key),
    refusal: { code: error.code, message: error.message },
  }
}
