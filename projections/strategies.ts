import { formatTime } from '../engine/time.ts'
import type { ChainSettings, StrategyBody } from '../schemas/types.gen.ts'
import { orderNumbered } from './orders.ts'
import { figures, NOTHING, type PnlState } from './pnl.ts'
import { bookEvent, type Projection } from './projection.ts'

/** What one source of signals has done. */
interface Doings {
  signals: number
  approved: number
  denied: number
  orders: number
  fills: number
  /** Engine time of its newest signal, ms. */
  lastSignalAt: number | null
  /** Why its newest denied signal was denied. */
  lastDenial: { code: string; rule: string | null } | null
}

export interface StrategiesState {
  /** As the last start recorded them. */
  configured: ChainSettings['strategies']
  /** strategy:<name>, operator:<name>, engine → what it has done; also of strategies that run no more. */
  sources: Map<string, Doings>
}

/** Who asks for orders, and with what success. */
export const strategiesProjection: Projection<StrategiesState> = {
  name: 'strategies',
  handles: [
    'engine.started',
    'signal.raised',
    'signal.received',
    'risk.verdict',
    'order.intended',
    'order.filled',
  ],
  initial: () => ({ configured: [], sources: new Map() }),
  apply(state, recorded, others) {
    const event = bookEvent(recorded)
    switch (event.type) {
      case 'engine.started':
        state.configured = event.data.settings.strategies
        break
      case 'signal.raised':
        signalled(of(state, `strategy:${event.data.strategy}`), event.at)
        break
      case 'signal.received':
        signalled(of(state, `operator:${event.data.operator}`), event.at)
        break
      case 'risk.verdict': {
        const doings = of(state, event.data.source)
        const { verdict, code, rule } = event.data
        if (verdict === 'approved') doings.approved++
        else {
          doings.denied++
          doings.lastDenial = { code, rule }
        }
        break
      }
      case 'order.intended':
      case 'order.filled': {
        const order = others && orderNumbered(others.orders, event.data.orderId)
        const doings = of(state, order?.source ?? 'unknown')
        if (event.type === 'order.intended') doings.orders++
        else doings.fills++
        break
      }
      default:
        break
    }
    return state
  },
  copy: ({ configured, sources }) => ({
    configured,
    sources: new Map(Array.from(sources, ([source, doings]) => [source, { ...doings }])),
  }),
}

function of({ sources }: StrategiesState, source: string): Doings {
  let doings = sources.get(source)
  if (doings === undefined) {
    doings = idle()
    sources.set(source, doings)
  }
  return doings
}

function idle(): Doings {
  return {
    signals: 0,
    approved: 0,
    denied: 0,
    orders: 0,
    fills: 0,
    lastSignalAt: null,
    lastDenial: null,
  }
}

function signalled(doings: Doings, at: number): void {
  doings.signals++
  doings.lastSignalAt = at
}

/** Configured strategies first, in their order; then every other source that ever asked, by name. */
export function strategyBodies(
  state: Readonly<StrategiesState>,
  pnl: Readonly<PnlState>,
): StrategyBody[] {
  const running = state.configured.map(({ name, params }) => ({
    source: `strategy:${name}`,
    params: params as StrategyBody['params'],
  }))
  const names = new Set(running.map(({ source }) => source))
  const others = [...state.sources.keys()].filter((source) => !names.has(source)).sort()
  return [...running, ...others.map((source) => ({ source, params: null }))].map((one) => {
    const { lastSignalAt, ...doings } = state.sources.get(one.source) ?? idle()
    return {
      ...one,
      running: one.params !== null,
      ...doings,
      lastSignalAt: lastSignalAt === null ? null : formatTime(lastSignalAt),
      ...figures(pnl.sources.get(one.source) ?? NOTHING),
    }
  })
}
