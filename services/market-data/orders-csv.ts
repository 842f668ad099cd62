/**
 * Lists of orders (`--orders FILE`): each row goes through the exchange model as it stands. Fields an
 * order's type does not use are ignored: exported lists often carry a price beside market orders.
 */
import type { ListedOrder } from '../../engine/backtest/listed-orders.ts'
import * as decimal from '../../engine/decimal.ts'
import { BadCsvFile, type ColumnRule } from './csv.ts'
import { ListReader, readList, RowRefusal } from './csv-list.ts'

export interface OrderRow extends ListedOrder {
  /** Line in the file. */
  line: number
}

/** A list of orders that cannot be used as it is; nothing in it is skipped. */
export class BadOrdersFile extends BadCsvFile {
  override name = 'BadOrdersFile'
  readonly code = 'bad_orders_file'
}

const DAY = 86_400_000

const COLUMNS: readonly ColumnRule[] = [
  { name: 'id', aliases: [], required: true },
  { name: 'submit_date', aliases: [], required: true },
  { name: 'side', aliases: [], required: true },
  { name: 'type', aliases: [], required: true },
  { name: 'size', aliases: [], required: true },
  { name: 'price', aliases: [], required: false },
  { name: 'limit_price', aliases: [], required: false },
  { name: 'trail_amount', aliases: [], required: false },
  { name: 'trail_percent', aliases: [], required: false },
  { name: 'time_in_force', aliases: ['tif'], required: false },
  { name: 'valid_until', aliases: [], required: false },
  { name: 'symbol', aliases: [], required: false },
]

const TYPES: ReadonlyMap<string, ListedOrder['type']> = new Map([
  ['market', 'market'],
  ['close', 'close'],
  ['limit', 'limit'],
  ['stop', 'stop'],
  ['stop_limit', 'stop_limit'],
  ['stoplimit', 'stop_limit'],
  ['trailing_stop', 'trailing_stop'],
  ['stoptrail', 'trailing_stop'],
])

const TIMES: ReadonlySet<string> = new Set(['day', 'gtc', 'ioc', 'fok', 'opg', 'cls'])

const REMEDY = 'Correct the rows: no order of a list is left out.'

/** Reads a list of orders, in the order of the file. Throws BadOrdersFile. */
export function readOrdersCsv(path: string): OrderRow[] {
  return readList(path, (bytes) => new OrderReader(bytes, COLUMNS), BadOrdersFile, REMEDY)
}

class OrderReader extends ListReader<OrderRow> {
  readonly #lineOfId = new Map<string, number>()

  protected row(line: number): OrderRow {
    const id = this.#id(line)
    const submitTime = this.stamp('submit_date')
    const side = this.required('side').toLowerCase()
    if (side !== 'buy' && side !== 'sell') throw new RowRefusal('side', 'is neither buy nor sell')
    const type = TYPES.get(this.required('type').toLowerCase())
    if (!type) {
      throw new RowRefusal(
        'type',
        'is none of market, close, limit, stop, stop_limit, trailing_stop',
      )
    }
    const order: OrderRow = {
      id,
      submitTime,
      side,
      type,
      qty: this.#amount('size'),
      line,
    }
    if (type === 'limit' || type === 'stop' || type === 'stop_limit') {
      order.price = this.#amount('price', type)
    }
    if (type === 'stop_limit') order.limitPrice = this.#amount('limit_price', type)
    if (type === 'trailing_stop') this.#trail(order)
    const time = this.text('time_in_force').toLowerCase()
    if (time !== '') {
      if (!TIMES.has(time))
        throw new RowRefusal('time_in_force', `is none of ${[...TIMES].join(', ')}`)
      order.timeInForce = time as NonNullable<ListedOrder['timeInForce']>
    }
    if (this.text('valid_until') !== '') {
      const timed = this.hadTime
      order.validUntil = this.stamp('valid_until')
      if (timed && !this.hadTime) order.validUntil += DAY - 1
      if (order.validUntil < submitTime) {
        throw new RowRefusal('valid_until', 'is before submit_date')
      }
    }
    if (this.hasColumn('symbol')) order.symbol = this.symbol('symbol')
    return order
  }

  /** Its distance, in money per share or in percent. */
  #trail(order: OrderRow): void {
    if (this.text('trail_percent') === '') {
      order.trailAmount = this.#amount('trail_amount', order.type)
      return
    }
    if (this.text('trail_amount') !== '') {
      throw new RowRefusal('trail_percent', 'stands beside a trail_amount: give one of them')
    }
    const percent = this.#amount('trail_percent', order.type)
    if (decimal.parse(percent) >= decimal.parse('100')) {
      throw new RowRefusal('trail_percent', 'is not below 100')
    }
    order.trailPercent = percent
  }

  protected need(type: string): string {
    return `a ${type} order`
  }

  #id(row: number): string {
    const id = this.required('id')
    const line = this.#lineOfId.get(id)
    if (line !== undefined) throw new RowRefusal('id', `repeats line ${line}`)
    this.#lineOfId.set(id, row)
    return id
  }

  /** Decimal text, shortest form. */
  #amount(field: string, type?: string): string {
    const value = this.amount(field, type)
    if (decimal.toNumber(value) >= 1e15) throw new RowRefusal(field, 'is larger than 1e15')
    return decimal.format(value)
  }
}
