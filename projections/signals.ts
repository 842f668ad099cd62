import { formatTime } from '../engine/time.ts'
import type {
  InputRefused,
  RiskVerdict,
  SignalBody,
  SignalDetail,
  SignalRaised,
  SignalReceived,
} from '../schemas/types.gen.ts'
import { KeyIndex } from './key-index.ts'
import { Listing } from './listing.ts'
import { bookEvent, type Projection } from './projection.ts'

/** What of a verdict is kept: a refused input is given one too. */
export type SignalVerdict = Pick<
  RiskVerdict,
  'verdict' | 'orderIds' | 'code' | 'rule' | 'observed' | 'limit' | 'qty' | 'checks'
>

export interface SignalRecord {
  /** Position in the book of what brought it. */
  entry: number
  /** manual: by an operator; strategy: raised; control: a flatten; refused: did not get through the door. */
  kind: 'manual' | 'strategy' | 'control' | 'refused'
  signalId: string
  /** strategy:<name>, operator:<name>, or unknown. */
  source: string
  symbol: string | null
  /** What was asked for; null where nobody could read it. */
  request: SignalRaised | SignalReceived | null
  side: 'buy' | 'sell' | 'close' | null
  /** Null until the event that follows it in the same step. */
  verdict: SignalVerdict | null
  /** Engine time, ms. */
  at: number
}

export interface SignalsState {
  list: Listing<SignalRecord>
  /** id → places in the list of the signals that had it, of every source: nearly always one. */
  byId: KeyIndex<string>
  approved: number
  denied: number
}

/**
 * Every signal and what became of it. Ids are unique within a source only: the same id from two operators is
 * two signals. Inputs that were refused at the door are here too when they carry an id, denied by rule `input`.
 */
export const signalsProjection: Projection<SignalsState> = {
  name: 'signals',
  handles: ['signal.received', 'signal.raised', 'risk.verdict', 'input.refused'],
  initial: () => ({ list: new Listing(), byId: new KeyIndex(), approved: 0, denied: 0 }),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    const { position: entry, at } = event
    switch (event.type) {
      case 'signal.received':
        add(state, {
          ...asked(event.data),
          kind: 'manual',
          source: `operator:${event.data.operator}`,
          entry,
          at,
        })
        break
      case 'signal.raised':
        add(state, {
          ...asked(event.data),
          kind: 'strategy',
          source: `strategy:${event.data.strategy}`,
          entry,
          at,
        })
        break
      case 'risk.verdict':
        judge(state, event.data, entry, at)
        break
      case 'input.refused':
        if (event.data.signalId !== undefined) {
          refuse(state, event.data, event.data.signalId, entry, at)
        }
        break
      default:
        break
    }
    return state
  },
  copy: (state) => ({
    ...state,
    list: state.list.copy(),
    byId: state.byId.copy(state.list.size),
  }),
}

function asked(
  request: SignalRaised | SignalReceived,
): Pick<SignalRecord, 'signalId' | 'symbol' | 'side' | 'request' | 'verdict'> {
  const { signalId, symbol, side } = request
  return { signalId, symbol, side, request, verdict: null }
}

function add(state: SignalsState, record: SignalRecord): void {
  state.byId.add(record.signalId, state.list.add(record))
}

/**
 * Place of the signal that the id means within a source: the newest, but a repeat that was refused does not take
 * the id from a signal that went through.
 */
function holder(
  state: Readonly<SignalsState>,
  signalId: string,
  source: string,
): number | undefined {
  let found: number | undefined
  for (const index of state.byId.get(signalId)) {
    const record = state.list.at(index)
    if (record.source !== source) continue
    if (record.kind !== 'refused' || found === undefined) found = index
    else if (state.list.at(found).kind === 'refused') found = index
  }
  return found
}

/** Those that the id means, one of each source, in the order of their sources' first. */
function holders(state: Readonly<SignalsState>, signalId: string): SignalRecord[] {
  const sources = new Set(state.byId.get(signalId).map((index) => state.list.at(index).source))
  return [...sources].map((source) => state.list.at(holder(state, signalId, source)!))
}

function judge(state: SignalsState, data: RiskVerdict, entry: number, at: number): void {
  const { signalId, source } = data
  if (data.verdict === 'approved') state.approved++
  else state.denied++
  const index = holder(state, signalId, source)
  if (index === undefined || state.list.at(index).verdict !== null) {
    // A flatten is judged without a signal before it.
    add(state, {
      entry,
      kind: 'control',
      signalId,
      source,
      symbol: data.order?.symbol ?? null,
      side: data.order?.side ?? null,
      request: null,
      verdict: data,
      at,
    })
  } else state.list.edit(index).verdict = data
}

function refuse(
  state: SignalsState,
  data: InputRefused,
  signalId: string,
  entry: number,
  at: number,
): void {
  state.denied++
  add(state, {
    entry,
    kind: 'refused',
    signalId,
    source: data.operator === undefined ? 'unknown' : `operator:${data.operator}`,
    symbol: null,
    side: null,
    request: null,
    verdict: {
      verdict: 'denied',
      orderIds: [],
      code: data.code,
      rule: 'input',
      observed: data.message,
      limit: null,
      qty: null,
      checks: [],
    },
    at,
  })
}

/**
 * The signals that a name may mean: its id, `<operator or strategy>:<id>`, or `<source>:<id>` in full, as in
 * `operator:alice:s-1`, which always names one only. Empty: none; more than one: ask by a longer name.
 */
export function findSignals(state: Readonly<SignalsState>, name: string): SignalRecord[] {
  const found = new Set(holders(state, name))
  const first = name.indexOf(':')
  if (first < 0) return [...found]
  const second = name.indexOf(':', first + 1)
  if (second >= 0) {
    const full = holder(state, name.slice(second + 1), name.slice(0, second))
    if (full !== undefined) return [state.list.at(full)]
  }
  const owner = name.slice(0, first)
  const id = name.slice(first + 1)
  for (const source of [owner, `operator:${owner}`, `strategy:${owner}`]) {
    const index = holder(state, id, source)
    if (index !== undefined) found.add(state.list.at(index))
  }
  return [...found]
}

/** The name that means this signal and no other. */
export function signalName({ source, signalId }: SignalRecord): string {
  return `${source}:${signalId}`
}

export function signalBody(record: SignalRecord): SignalBody {
  const { request, verdict } = record
  return {
    signalId: record.signalId,
    verdict: verdict?.verdict ?? null,
    orderIds: verdict?.orderIds ?? [],
    code: verdict?.code ?? null,
    rule: verdict?.rule ?? null,
    observed: verdict?.observed ?? null,
    limit: verdict?.limit ?? null,
    kind: record.kind,
    source: record.source,
    symbol: record.symbol,
    side: record.side,
    type: request?.orderType ?? null,
    qty: request?.qty ?? null,
    notional: request?.notional ?? null,
    limitPrice: request?.limitPrice ?? null,
    stopPrice: request?.stopPrice ?? null,
    approvedQty: verdict?.qty ?? null,
    reason: request?.reason ?? null,
    at: formatTime(record.at),
    entry: record.entry,
  }
}

export function signalDetail(record: SignalRecord, position: number): SignalDetail {
  return { position, ...signalBody(record), checks: record.verdict?.checks ?? [] }
}
