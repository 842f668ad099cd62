import { ExchangeDriver } from '../backtest/exchange-driver.ts'
import { actionOf } from '../backtest/listed-actions.ts'
import type { StateTable } from '../chain/state-table.ts'
import { decodeBody, type RecordedEvent } from '../events/envelope.ts'
import { barFromWire } from '../market/bar-wire.ts'
import { RecordedBook } from './given.ts'
import { asChainEvent, BOOK_ID, type Input, opened } from './fixtures.ts'
import type { ChainSettings } from '../../schemas/types.gen.ts'

/** A book in memory as a lock-step engine with the simulated broker writes it. */
export class SimulatedBook {
  readonly book = new RecordedBook()
  /** May be put in the place of another on the way. */
  driver: ExchangeDriver
  private at = 0

  constructor(settings: ChainSettings) {
    this.driver = this.driverOf(settings)
    for (const input of opened(settings)) this.record(input)
  }

  get table(): StateTable {
    return this.book.chain.table
  }

  /** Everything recorded so far. */
  get events(): RecordedEvent[] {
    return this.book.stored.map(decodeBody)
  }

  /** A broker for this book, with an account that it must be given. */
  driverOf(settings: ChainSettings): ExchangeDriver {
    return new ExchangeDriver(settings.exchange, BOOK_ID, {
      table: this.table,
      step: (event) => this.record(event as Input),
      hear: (_, event) => this.record(event as Input),
    })
  }

  /** Lets something happen: the broker sees bars and actions first. */
  take(input: Input): void {
    const { driver } = this
    if (input.type === 'market.action') {
      driver.exchange.onAction(actionOf(input.data))
      driver.settle(this.at)
    }
    this.at = Math.max(this.at, input.at)
    driver.fireTimers(this.at)
    if (input.type === 'market.bar') {
      driver.exchange.onBar({ ...barFromWire(input.data), symbolIndex: -1 })
      driver.settle(this.at)
    }
    this.record({ ...input, at: this.at } as Input)
    driver.settle(this.at)
  }

  private record(input: Input): void {
    this.at = Math.max(this.at, input.at)
    const [, ...consequences] = this.book.take(input).events
    for (const { type, at, data } of consequences) {
      this.driver.take(asChainEvent({ type, at, data } as Input))
    }
  }
}
