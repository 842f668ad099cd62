import { decodeBody } from '../../engine/events/envelope.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import { BarExplainer, type BarExplanation } from '../../engine/replay/bar-explainer.ts'
import { formatTime, parseTime } from '../../engine/time.ts'
import { eventText } from '../../projections/event-text.ts'
import { findOrder, type OrderRecord } from '../../projections/orders.ts'
import { type BookEvent, bookEvent } from '../../projections/projection.ts'
import type { ReadModel } from '../../projections/read-model.ts'
import { findSignals, signalName, type SignalRecord } from '../../projections/signals.ts'
import type { ExplainBody } from '../../schemas/types.gen.ts'

/** Nothing in the book answers to the name. */
export class NothingToExplain extends Error {
  override name = 'NothingToExplain'
  readonly code = 'nothing_to_explain'
}

/** The name means more than one signal. */
export class AmbiguousName extends Error {
  override name = 'AmbiguousName'
  readonly code = 'ambiguous_name'
}

/** Another bar is being explained: that folds the whole book, so there is one at a time. */
export class ExplainerIsBusy extends Error {
  override name = 'ExplainerIsBusy'
  readonly code = 'past_is_busy'
}

/** Links of a chain that are shown at most. */
const MOST = 500
const MAX_SHOWN = 80

type Link = ExplainBody['chain'][number]

/**
 * Answers why: for an order the chain from its bar or operator to its end, for a signal its verdict and what came
 * of it, for a bar what every strategy looked at, for any event what led to it and what it led to.
 */
export class Explainer {
  readonly #store: EventStore
  readonly #stream: string
  #folding = false

  constructor(store: EventStore, stream: string) {
    this.#store = store
    this.#stream = stream
  }

  /**
   * `name`: the number or client order id of an order, the id of a signal or a longer name of it, `p:<position>`, or
   * `bar:<symbol>:<start, RFC 3339>`. `model` has folded the book up to where the answer is wanted. Throws
   * NothingToExplain, AmbiguousName, ExplainerIsBusy, and what the store throws.
   */
  async explain(name: string, model: ReadModel): Promise<ExplainBody> {
    const { position } = model
    const answer = (
      kind: ExplainBody['kind'],
      outcome: string,
      links: Iterable<Link>,
    ): ExplainBody => {
      const chain = [...links].sort((a, b) => a.position - b.position)
      const truncated = chain.length > MOST
      return { id: name, kind, position, outcome, chain: chain.slice(0, MOST), truncated }
    }
    const place = /^p:(\d{1,16})$/.exec(name)?.[1]
    if (place !== undefined) {
      const step = await this.#stepOf(Number(place), position)
      const event = step?.find((one) => one.position === Number(place))
      if (step === null || event === undefined) throw nothing(name, 'event', position)
      if (event.type === 'market.bar') return this.#bar(answer, event, step, model)
      return answer('event', eventText(event), related(step, event.position).map(link))
    }
    if (name.startsWith('bar:')) {
      const bar = await this.#findBar(name, model)
      if (bar === null) throw nothing(name, 'bar', position)
      return this.#bar(answer, bar, (await this.#stepOf(bar.position, position)) ?? [bar], model)
    }
    const order = findOrder(model.states.orders, name)
    if (order !== undefined)
      return answer('order', orderOutcome(order), await this.#order(order, model))
    const [signal, ...others] = findSignals(model.states.signals, name)
    if (signal === undefined) throw nothing(name, 'order or signal', position)
    if (others.length > 0) {
      const names = [signal, ...others].slice(0, 10).map(signalName).join(', ')
      throw new AmbiguousName(`${others.length + 1} signals have the id; ask for one of ${names}`)
    }
    return answer('signal', signalOutcome(signal), await this.#signal(signal, model))
  }

  async #order(order: OrderRecord, { position }: ReadModel): Promise<Iterable<Link>> {
    const links = new Map<number, Link>()
    for (const entry of order.life.slice(0, MOST)) {
      const step = await this.#stepOf(entry, position)
      for (const one of ancestors(step ?? [], entry)) links.set(one.position, link(one))
    }
    return links.values()
  }

  async #signal(signal: SignalRecord, model: ReadModel): Promise<Iterable<Link>> {
    const links = new Map<number, Link>()
    const step = (await this.#stepOf(signal.entry, model.position)) ?? []
    for (const one of related(step, signal.entry)) links.set(one.position, link(one))
    for (const orderId of signal.verdict?.orderIds ?? []) {
      const order = findOrder(model.states.orders, String(orderId))
      if (order === undefined) continue
      for (const one of await this.#order(order, model)) links.set(one.position, one)
    }
    return links.values()
  }

  async #bar(
    answer: (kind: 'bar', outcome: string, links: Iterable<Link>) => ExplainBody,
    bar: BookEvent,
    step: readonly BookEvent[],
    model: ReadModel,
  ): Promise<ExplainBody> {
    const seen = await this.#fold(bar.position)
    const strategies = seen.strategies.map(({ strategy, params, actions }) => ({
      strategy,
      params: { ...params },
      actions: actions.map(({ side, conditions }) => ({
        side,
        met: conditions.every(({ met }) => met),
        conditions,
      })),
    }))
    const links = new Map<number, Link>(step.map((one) => [one.position, link(one)]))
    for (const one of step) {
      if (one.type !== 'order.intended') continue
      const order = findOrder(model.states.orders, String(one.data.orderId))
      if (order === undefined) continue
      for (const later of await this.#order(order, model)) links.set(later.position, later)
    }
    return { ...answer('bar', barOutcome(seen, step), links.values()), strategies }
  }

  /** All strategies' view of the bar at a position: the book is folded up to it, page by page. */
  async #fold(position: number): Promise<BarExplanation> {
    if (this.#folding) {
      throw new ExplainerIsBusy(
        'another bar is being explained, which folds the whole book: ask again',
      )
    }
    this.#folding = true
    try {
      const explainer = new BarExplainer(position)
      for await (const page of this.#store.read(this.#stream, 0, position)) {
        for (const stored of page) {
          const found = explainer.take(decodeBody(stored))
          if (found !== null) return found
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      throw new Error(`the book ends before its position ${position}`)
    } finally {
      this.#folding = false
    }
  }

  /** The events of the step that an event belongs to; null when the book does not reach so far. */
  async #stepOf(entry: number, head: number): Promise<BookEvent[] | null> {
    const event = entry <= head ? await this.#read(entry) : null
    if (event === null) return null
    const step: BookEvent[] = []
    for await (const page of this.#store.read(this.#stream, event.step, head)) {
      for (const stored of page) {
        const one = bookEvent(decodeBody(stored))
        if (one.step !== event.step) return step
        step.push(one)
      }
    }
    return step
  }

  async #read(position: number): Promise<BookEvent | null> {
    for await (const [stored] of this.#store.read(this.#stream, position, position)) {
      if (stored !== undefined) return bookEvent(decodeBody(stored))
    }
    return null
  }

  /** The first version of a bar. Engine time never decreases, so its moment is found by halving. */
  async #findBar(name: string, { position: head }: ReadModel): Promise<BookEvent | null> {
    const [, symbol = '', time = ''] = /^bar:([^:]+):(.+)$/.exec(name) ?? []
    const start = parseTime(time)
    if (Number.isNaN(start)) {
      throw new NothingToExplain(
        `${JSON.stringify(shown(name))} names no bar: write bar:<symbol>:<start>, such as bar:AAPL:2013-07-18T00:00:00Z`,
      )
    }
    let low = 0
    let high = head + 1
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = await this.#read(middle)
      if (event !== null && event.at < start) low = middle + 1
      else high = middle
    }
    // A bar is recorded at its end or later; a correction may come at any time after.
    for await (const page of this.#store.read(this.#stream, low, head)) {
      for (const stored of page) {
        if (stored.type !== 'market.bar') continue
        const event = bookEvent(decodeBody(stored))
        if (event.type !== 'market.bar' || event.data.symbol !== symbol) continue
        if (parseTime(event.data.time) === start) return event
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    return null
  }
}

function nothing(name: string, what: string, position: number): NothingToExplain {
  return new NothingToExplain(
    `no ${what} up to position ${position} answers to ${JSON.stringify(shown(name))}: give an order's number, a signal's id, p:<position>, or bar:<symbol>:<start>`,
  )
}

function shown(name: string): string {
  return name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}…` : name
}

/** The event and what led to it, within its step. */
function ancestors(step: readonly BookEvent[], position: number): BookEvent[] {
  const found: BookEvent[] = []
  for (let next: number | null = position; next !== null; ) {
    const event: BookEvent | undefined = step.find((one) => one.position === next)
    if (event === undefined) break
    found.push(event, ...featuresOf(step, event))
    next = event.because
  }
  return found
}

/** What a strategy noted that it saw, before it raised a signal. */
function featuresOf(step: readonly BookEvent[], signal: BookEvent): BookEvent[] {
  if (signal.type !== 'signal.raised') return []
  const { strategy, symbol } = signal.data
  const noted = step.filter(
    (one) =>
      one.type === 'feature.computed' &&
      one.position < signal.position &&
      one.data.strategy === strategy &&
      one.data.symbol === symbol,
  )
  return noted.slice(-1)
}

/** The event, what led to it, and what followed from it. */
function related(step: readonly BookEvent[], position: number): BookEvent[] {
  const after = new Set([position])
  const before = new Set(ancestors(step, position).map((one) => one.position))
  for (const { position: next, because } of step) {
    if (because !== null && after.has(because)) after.add(next)
  }
  return step.filter((one) => after.has(one.position) || before.has(one.position))
}

function link(event: BookEvent): Link {
  const { position, type, at, because, data } = event
  return {
    position,
    type,
    at: formatTime(at),
    because,
    text: eventText(event),
    data: data as Link['data'],
  }
}

function orderOutcome({ status, code, reason }: OrderRecord): string {
  const why =
    code === null ? '' : `, ${code}${reason === null || reason === code ? '' : `: ${reason}`}`
  return `${status}${why}`
}

function signalOutcome({ verdict }: SignalRecord): string {
  if (verdict === null) return 'no verdict yet'
  if (verdict.verdict === 'approved') return `approved as order ${verdict.orderIds.join(', ')}`
  const { code, rule, observed, limit } = verdict
  const by = rule === null || rule === code ? '' : ` by rule ${rule}`
  const saw = observed === null ? '' : `: saw ${observed}`
  return `denied, ${code}${by}${saw}${limit === null ? '' : `, allowed ${limit}`}`
}

function barOutcome({ late, strategies }: BarExplanation, step: readonly BookEvent[]): string {
  if (late) return 'no strategy looked at it: it was late, or the correction of a bar'
  const raised = step.filter(({ type }) => type === 'signal.raised').length
  if (raised > 0) return `${raised} ${raised === 1 ? 'signal' : 'signals'}`
  return strategies.length === 0
    ? 'no strategy was running'
    : 'no signal: of every action at least one condition was not met'
}
