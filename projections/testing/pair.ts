import fc from 'fast-check'
import { Chain } from '../../engine/chain/chain.ts'
import type { ChainEvent } from '../../engine/chain/processor.ts'
import { barFromWire } from '../../engine/market/bar-wire.ts'
import { DAY_MS, formatTime } from '../../engine/time.ts'
import type {
  BookCreated,
  EngineStarted,
  EventType,
  MarketBar,
  OrderIntended,
} from '../../schemas/types.gen.ts'
import { ReadModel } from '../read-model.ts'
import { TestBook } from './book.ts'

/** The real chain and the read model, fed with the same book: what the first emits, the second is shown. */
export class Pair {
  readonly chain = new Chain()
  readonly model = new ReadModel()
  readonly book = new TestBook()
  readonly intents: OrderIntended[] = []

  /** Takes what was added to the book as one input. */
  input(type: EventType, data: object): void {
    const { at } = this.book
    this.record(type, data)
    const seen = type === 'market.bar' ? barFromWire(data as MarketBar) : data
    this.chain.step({ type, at, data: seen } as ChainEvent, (event) => {
      if (event.type === 'order.intended') this.intents.push(event.data)
      this.record(event.type, event.data)
    })
  }

  private record(type: EventType, data: object): void {
    // What is recorded passes through JSON.
    this.model.apply(this.book.add(type, JSON.parse(JSON.stringify(data)) as never))
  }
}

export function started(): [BookCreated, EngineStarted] {
  const { events } = new TestBook().created('10000').started()
  const [created, engine] = events as unknown as [{ data: BookCreated }, { data: EngineStarted }]
  engine.data.settings.strategies[0]!.params = { fast: 1, slow: 2, mode: 'reverse', size: '7' }
  engine.data.settings.risk = { maxPosition: '15', maxDrawdown: '0.2', maxDailyLoss: '0.05' }
  return [created.data, engine.data]
}

/** What happens on each day of a random book. */
export const moves = fc.array(
  fc.record({
    symbol: fc.constantFrom('AAPL', 'MSFT'),
    close: fc.integer({ min: 50, max: 150 }),
    fate: fc.constantFrom('filled', 'filled', 'part', 'rejected', 'waits'),
    manual: fc.constantFrom(null, null, 'buy', 'sell', 'close'),
  }),
  { minLength: 5, maxLength: 40 },
)

export type Move = typeof moves extends fc.Arbitrary<(infer T)[]> ? T : never

/** Plays the moves through the engine; `after` is called when each is over. */
export function play(steps: readonly Move[], after: (pair: Pair) => void): Pair {
  const pair = new Pair()
  const { book } = pair
  const [created, engine] = started()
  pair.input('book.created', created)
  pair.input('engine.started', engine)
  for (const [index, { symbol, close, fate, manual }] of steps.entries()) {
    book.at += DAY_MS
    const intent = fate === 'waits' ? undefined : pair.intents.shift()
    if (intent !== undefined) {
      const report = { ...book.report(intent.orderId), symbol: intent.symbol }
      pair.input('order.accepted', report)
      const trade = { side: intent.side, price: String(close), fee: '0.1' }
      const qty = fate === 'part' ? '1' : intent.qty
      if (fate === 'rejected') pair.input('order.rejected', { ...report, code: 'c', reason: 'r' })
      else pair.input('order.filled', { ...report, ...trade, qty, complete: fate === 'filled' })
    }
    const price = String(close)
    pair.input('market.bar', {
      ...{ feed: 'test', symbol, timeframe: '1d', time: formatTime(book.at - DAY_MS) },
      ...{ open: price, high: price, low: price, close: price, volume: null, revision: 0 },
    })
    if (manual !== null) {
      const signal = new TestBook()
      signal.at = book.at
      signal.signal('alice', `m-${index}`, { symbol, side: manual })
      pair.input('signal.received', signal.events[0]!.data as object)
    }
    after(pair)
  }
  return pair
}
