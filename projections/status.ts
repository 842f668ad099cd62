import { formatTime, parseTime } from '../engine/time.ts'
import type {
  ChainSettings,
  EngineStarted,
  MarketBar,
  RiskStateChanged,
  StatusBody,
} from '../schemas/types.gen.ts'
import { bookEvent, type Projection } from './projection.ts'

export interface StatusState {
  /** Empty before the genesis. */
  bookId: string
  account: string
  trading: RiskStateChanged['to']
  /** What led to the trading state; null: it is as it was at the start. */
  cause: RiskStateChanged | null
  /** Engine time, ms; null as above. */
  since: number | null
  bars: number
  /** Newest bar of each symbol, by bar time; a late one does not replace it. */
  lastBars: Map<string, MarketBar>
  /** What the last engine.started recorded. */
  settings: ChainSettings | null
  run: Omit<EngineStarted, 'settings'> | null
  startedAt: number | null
  starts: number
  controls: number
  /** The newest controls: action and id → position. */
  taken: Map<string, number>
  refusedInputs: number
  gaps: number
  anomalies: number
}

/** Controls that a repeated request is answered from. */
const REMEMBERED = 256

/** What runs, whether it may trade, and how much it has seen. */
export const statusProjection: Projection<StatusState> = {
  name: 'status',
  // Timers are listed so that engine time moves with them.
  handles: [
    'book.created',
    'engine.started',
    'market.bar',
    'market.action',
    'account.charged',
    'input.refused',
    'input.gap',
    'control.received',
    'timer.fired',
    'risk.state_changed',
    'order.anomaly',
  ],
  initial: () => ({
    bookId: '',
    account: '',
    trading: 'ACTIVE',
    cause: null,
    since: null,
    bars: 0,
    lastBars: new Map(),
    settings: null,
    run: null,
    startedAt: null,
    starts: 0,
    controls: 0,
    taken: new Map(),
    refusedInputs: 0,
    gaps: 0,
    anomalies: 0,
  }),
  apply(state, recorded) {
    const event = bookEvent(recorded)
    switch (event.type) {
      case 'market.bar':
        state.bars++
        if (isNewest(state.lastBars.get(event.data.symbol), event.data)) {
          state.lastBars.set(event.data.symbol, event.data)
        }
        break
      case 'risk.state_changed':
        state.trading = event.data.to
        state.cause = event.data
        state.since = event.at
        break
      case 'order.anomaly':
        state.anomalies++
        break
      case 'input.refused':
        state.refusedInputs++
        break
      case 'input.gap':
        state.gaps++
        break
      case 'control.received':
        state.controls++
        state.taken.set(`${event.data.action} ${event.data.controlId}`, event.position)
        if (state.taken.size > REMEMBERED) state.taken.delete(state.taken.keys().next().value!)
        break
      case 'engine.started': {
        const { settings, ...run } = event.data
        state.settings = settings
        state.run = run
        state.startedAt = event.at
        state.starts++
        break
      }
      case 'book.created':
        state.bookId = event.data.bookId
        state.account = event.data.account
        break
      default:
        break
    }
    return state
  },
  // What the fields refer to is data of events, which nobody writes to.
  copy: (state) => ({
    ...state,
    lastBars: new Map(state.lastBars),
    taken: new Map(state.taken),
  }),
}

function isNewest(before: MarketBar | undefined, bar: MarketBar): boolean {
  if (before === undefined || before.time === bar.time) return true
  // Stamps of one length compare as text; with and without milliseconds they do not.
  if (before.time.length === bar.time.length) return bar.time > before.time
  return parseTime(bar.time) > parseTime(before.time)
}

/** What the other projections contribute to the status. */
export interface StatusTotals {
  position: number
  /** Engine time, ms; null before the first event. */
  at: number | null
  orders: number
  openOrders: number
  fills: number
  signals: number
  approved: number
  denied: number
}

export function statusBody(state: Readonly<StatusState>, totals: StatusTotals): StatusBody {
  const { cause, run } = state
  const { position, at, ...counts } = totals
  return {
    position,
    at: at === null ? null : formatTime(at),
    bookId: state.bookId === '' ? null : state.bookId,
    account: state.account === '' ? null : state.account,
    trading: {
      state: state.trading,
      code: cause?.code ?? 'started',
      observed: cause?.observed ?? null,
      limit: cause?.limit ?? null,
      actor: cause?.actor ?? null,
      reason: cause?.reason ?? null,
      since: state.since === null ? null : formatTime(state.since),
    },
    counts: {
      bars: state.bars,
      ...counts,
      refusedInputs: state.refusedInputs,
      gaps: state.gaps,
      anomalies: state.anomalies,
      controls: state.controls,
      starts: state.starts,
    },
    lastBars: [...state.lastBars.values()]
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      .map(({ symbol, timeframe, time, close }) => ({ symbol, timeframe, time, close })),
    run:
      run === null || state.startedAt === null
        ? null
        : { ...run, startedAt: formatTime(state.startedAt) },
    settings: state.settings,
  }
}
