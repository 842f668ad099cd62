import { parseDuration, parseTime } from '../../engine/time.ts'
import { findSignals, type SignalRecord, signalDetail } from '../../projections/signals.ts'
import type { ManualSignal, SignalReceived } from '../../schemas/types.gen.ts'
import {
  type CommandContext,
  eventAt,
  invalidBody,
  keyReused,
  published,
  REMEMBERED_MS,
  type Sending,
  type Sent,
  waitFor,
} from './commands.ts'

/** Publishes a manual signal, unless the book has an answer to its key already. Throws Problem. */
export async function sendSignal(context: CommandContext, sending: Sending): Promise<Sent> {
  const { caller, key, wait } = sending
  const { projector, closing, commands, underway } = context
  const body = sending.body as ManualSignal
  const faults = commands.signalFaults(body)
  if (faults.length > 0) throw invalidBody(faults)
  const asked = essence(body)
  const location = `/signals/${encodeURIComponent(`operator:${caller.name}:${key}`)}`
  const answer = async (): Promise<Sent | null> => {
    const record = await known(context, caller.name, key, asked)
    if (record === null || record.verdict === null) return null
    return { status: 200, body: signalDetail(record, projector.position()), location }
  }
  const before = await answer()
  if (before !== null) return before
  const send = () => commands.signal(caller.name, key, body)
  const stored = await published(underway.run(`signal ${caller.name} ${key}`, asked, send))
  const verdict = wait === 0 ? null : await waitFor(projector, closing, wait, answer)
  return verdict ?? { status: 202, body: { id: key, ...stored, location }, location }
}

/** Takes only what buys or sells; the rest as any signal. Throws Problem. */
export async function sendOrder(context: CommandContext, sending: Sending): Promise<Sent> {
  if ((sending.body as ManualSignal).side !== 'close') return sendSignal(context, sending)
  throw invalidBody(['/side must be buy or sell; POST /signals/manual closes'])
}

/**
 * What the book has under a caller's key, as long as the engine knows the key. Throws Problem key-reused when it asked
 * for something else.
 */
async function known(
  { projector, book }: CommandContext,
  operator: string,
  key: string,
  asked: string,
): Promise<SignalRecord | null> {
  const source = `operator:${operator}`
  // A name may mean signals of others too: somebody chose an id that looks like it.
  const record = findSignals(projector.model.states.signals, `${source}:${key}`).find(
    (one) => one.source === source && one.signalId === key && one.kind !== 'control',
  )
  if (record === undefined) return null
  if (record.kind === 'manual') {
    const request = record.request as SignalReceived
    if (isForgotten(request.storedAt)) return null
    if (recordedEssence(request) !== asked) throw keyReused()
    return record
  }
  const { type, data } = await eventAt(book, record.entry)
  if (type !== 'input.refused' || isForgotten(data.storedAt)) return null
  const refused = readPayload(data.payload)
  if (refused !== null && essence(refused) !== asked) throw keyReused()
  return record
}

function isForgotten(storedAt: string): boolean {
  return parseTime(storedAt) < Date.now() - REMEMBERED_MS
}

/** Null where it is not known whole: no signal, or cut. */
function readPayload(text: string): ManualSignal | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as ManualSignal) : null
  } catch {
    return null
  }
}

/** What was asked for, as the engine reads it: equal for a repeat, whatever the order of the fields. */
export function essence(signal: ManualSignal): string {
  const { symbol, limitPrice, stopPrice, takeProfit, stopLoss, trailPercent } = signal
  const priced = stopPrice === undefined ? 'market' : 'stop'
  const exits = [takeProfit, stopLoss, trailPercent].some((exit) => exit !== undefined)
  return fields({
    ...signal,
    symbol: String(symbol).trim().toUpperCase(),
    orderType: signal.type ?? (limitPrice === undefined ? priced : 'limit'),
    timeInForce: signal.timeInForce ?? (exits ? 'gtc' : 'day'),
    validForMs: parseDuration(signal.validFor ?? 'PT1M'),
  })
}

/** The same of what is recorded. */
export function recordedEssence(request: SignalReceived): string {
  return fields(request)
}

function fields(asked: Partial<Omit<SignalReceived, 'operator'>>): string {
  const { symbol, side, qty, notional, fractional, orderType, limitPrice, stopPrice } = asked
  const { timeInForce, takeProfit, stopLoss, trailPercent, confidence, reason, validForMs } = asked
  const order = [symbol, side, qty, notional, fractional, orderType, limitPrice, stopPrice]
  const exits = [timeInForce, takeProfit, stopLoss, trailPercent, confidence, reason, validForMs]
  return JSON.stringify([...order, ...exits].map((value) => value ?? null))
}
