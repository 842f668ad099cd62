import type { RecordedEvent } from '../engine/events/envelope.ts'
import {
  EVENT_VERSIONS,
  type EventType,
  type PortfolioBody,
  type StatusBody,
} from '../schemas/types.gen.ts'
import { type DecisionRecord, decisionsProjection } from './decisions.ts'
import { equityProjection, type EquityState } from './equity.ts'
import { type FillRecord, fillsProjection } from './fills.ts'
import type { Listing } from './listing.ts'
import { type OrdersState, ordersProjection } from './orders.ts'
import { portfolioBody, portfolioProjection, type PortfolioState } from './portfolio.ts'
import { pnlProjection, type PnlState } from './pnl.ts'
import type { Projection } from './projection.ts'
import { queuesProjection, type QueuesState } from './queues.ts'
import { signalsProjection, type SignalsState } from './signals.ts'
import { strategiesProjection, type StrategiesState } from './strategies.ts'
import { statusBody, statusProjection, type StatusState } from './status.ts'

/** Thrown when the book holds a version of an event that this program does not know: folding it would guess. */
export class EventTooNew extends Error {
  override name = 'EventTooNew'
  readonly code = 'event_too_new'
  readonly position: number
  constructor(position: number, type: EventType, version: number) {
    super(
      `event ${position} of the book is ${type} version ${version}, this program knows up to ` +
        `${EVENT_VERSIONS[type]}: use the newer program`,
    )
    this.position = position
  }
}

/** The states of all projections, as one position of the book leaves them. */
export interface ReadStates {
  orders: OrdersState
  portfolio: PortfolioState
  fills: Listing<FillRecord>
  pnl: PnlState
  equity: EquityState
  signals: SignalsState
  decisions: Listing<DecisionRecord>
  strategies: StrategiesState
  queues: QueuesState
  status: StatusState
}

type Name = keyof ReadStates

/** In the order of folding: a projection sees what those before it made of the event. */
const PROJECTIONS: { readonly [N in Name]: Projection<ReadStates[N]> } = {
  orders: ordersProjection,
  portfolio: portfolioProjection,
  fills: fillsProjection,
  pnl: pnlProjection,
  equity: equityProjection,
  signals: signalsProjection,
  decisions: decisionsProjection,
  strategies: strategiesProjection,
  queues: queuesProjection,
  status: statusProjection,
}

const ROUTES: ReadonlyMap<string, readonly Name[]> = routes()

function routes(): Map<string, Name[]> {
  const found = new Map<string, Name[]>()
  for (const name of Object.keys(PROJECTIONS) as Name[]) {
    for (const type of PROJECTIONS[name].handles) {
      const list = found.get(type)
      if (list === undefined) found.set(type, [name])
      else list.push(name)
    }
  }
  return found
}

/** Whether any projection looks at events of this type; the others need not even be decoded. */
export function isProjected(type: string): boolean {
  return ROUTES.has(type)
}

/** All projections of one book, folded together, so that what they say belongs to one position. */
export class ReadModel {
  readonly states: ReadStates = {
    orders: ordersProjection.initial(),
    portfolio: portfolioProjection.initial(),
    fills: fillsProjection.initial(),
    pnl: pnlProjection.initial(),
    equity: equityProjection.initial(),
    signals: signalsProjection.initial(),
    decisions: decisionsProjection.initial(),
    strategies: strategiesProjection.initial(),
    queues: queuesProjection.initial(),
    status: statusProjection.initial(),
  }
  /** Last event folded, −1 before the first. */
  position = -1
  /** Engine time of the last input, ms; null before the first. */
  at: number | null = null

  /** Goes on from here by itself: what happens to either does not show in the other. */
  copy(): ReadModel {
    const copy = new ReadModel()
    for (const name of Object.keys(PROJECTIONS) as Name[]) copy.take(name, this.states)
    copy.position = this.position
    copy.at = this.at
    return copy
  }

  /** Folds the next event. Throws RangeError on a gap or a repeat, EventTooNew. */
  apply(event: RecordedEvent): void {
    this.expect(event.position)
    const names = ROUTES.get(event.type)
    if (names !== undefined) {
      if (event.version > EVENT_VERSIONS[event.type]) {
        throw new EventTooNew(event.position, event.type, event.version)
      }
      for (const name of names) this.fold(name, event)
      this.at = event.at
    }
    this.position = event.position
  }

  /** Goes past an event that no projection looks at. */
  skip(position: number): void {
    this.expect(position)
    this.position = position
  }

  portfolioBody(): PortfolioBody {
    return portfolioBody(this.states.portfolio, this.position, this.at)
  }

  statusBody(): StatusBody {
    const { orders, fills, signals, status } = this.states
    return statusBody(status, {
      position: this.position,
      at: this.at,
      orders: orders.list.size,
      openOrders: orders.open,
      fills: fills.size,
      signals: signals.list.size,
      approved: signals.approved,
      denied: signals.denied,
    })
  }

  private expect(position: number): void {
    if (position !== this.position + 1) {
      throw new RangeError(`event ${position} does not follow ${this.position}: a gap or a repeat`)
    }
  }

  private take<N extends Name>(name: N, from: ReadStates): void {
    this.states[name] = PROJECTIONS[name].copy(from[name])
  }

  private fold<N extends Name>(name: N, event: RecordedEvent): void {
    this.states[name] = PROJECTIONS[name].apply(this.states[name], event, this.states)
  }
}
