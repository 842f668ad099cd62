/**
 * Lists of orders (`--orders FILE`): each row goes through the exchange model as it stands. Fields an
 * order's type does not use are ignored: exported lists often carry a price beside market orders.
 */
import type { ListedOrder } from '../../engine/backtest/listed-orders.ts'
import * as decimal from '../../engine/decimal.ts'
import { BadCsvFile, CsvRefusal, CsvScanner, readCsvBytes, readHeader, whole } from './csv.ts'
import type { ColumnRule, Fault, RowFault } from './csv.ts'
import { plainDecimal, readSymbol, StampReader, stampReason } from './csv-values.ts'

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
  try {
    const reader = new OrderReader(readCsvBytes(path))
    if (reader.faults.length > 0) {
      const faults = reader.faults.map((fault): RowFault => ({ file: path, ...fault }))
      throw new BadOrdersFile(path, faults, reader.rows, REMEDY, reader.header)
    }
    if (reader.rows === 0) throw whole('has a header but no rows')
    return reader.orders
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error
    throw new BadOrdersFile(path, [{ file: path, ...error.fault }], 0, '', error.header)
  }
}

/** Ends the row being read with what is wrong in it. */
class RowRefusal extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(reason)
    this.field = field
  }
}

class OrderReader {
  readonly orders: OrderRow[] = []
  readonly faults: Fault[] = []
  readonly header: string[]
  rows = 0
  readonly #scanner: CsvScanner
  readonly #at: Record<string, number>
  readonly #stamps = new StampReader()
  readonly #lineOfId = new Map<string, number>()

  constructor(bytes: Buffer) {
    this.#scanner = new CsvScanner(bytes)
    const { header, columns } = readHeader(this.#scanner, COLUMNS)
    this.header = header
    this.#at = columns
    while (this.#scanner.next()) {
      this.rows++
      try {
        this.orders.push(this.#order())
      } catch (error) {
        if (!(error instanceof RowRefusal)) throw error
        const { field, message: reason } = error
        const text = field === 'row' ? this.#scanner.texts().join(',') : this.#text(field)
        this.faults.push({ line: this.#scanner.line, field, reason, text })
      }
    }
  }

  #order(): OrderRow {
    const scanner = this.#scanner
    if (scanner.malformed) throw new RowRefusal('row', 'text after a closing quote')
    if (!scanner.hasWidth(this.header.length)) {
      const reason = `${scanner.count} fields where the header has ${this.header.length}`
      throw new RowRefusal('row', reason)
    }
    const id = this.#id()
    const submitTime = this.#stamp('submit_date')
    const side = this.#required('side').toLowerCase()
    if (side !== 'buy' && side !== 'sell') throw new RowRefusal('side', 'is neither buy nor sell')
    const type = TYPES.get(this.#required('type').toLowerCase())
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
      line: scanner.line,
    }
    if (type === 'limit' || type === 'stop' || type === 'stop_limit') {
      order.price = this.#amount('price', type)
    }
    if (type === 'stop_limit') order.limitPrice = this.#amount('limit_price', type)
    if (type === 'trailing_stop') this.#trail(order)
    const time = this.#text('time_in_force').toLowerCase()
    if (time !== '') {
      if (!TIMES.has(time))
        throw new RowRefusal('time_in_force', `is none of ${[...TIMES].join(', ')}`)
      order.timeInForce = time as NonNullable<ListedOrder['timeInForce']>
    }
    if (this.#text('valid_until') !== '') {
      const timed = this.#stamps.hasTime
      order.validUntil = this.#stamp('valid_until')
      if (timed && !this.#stamps.hasTime) order.validUntil += DAY - 1
      if (order.validUntil < submitTime) {
        throw new RowRefusal('valid_until', 'is before submit_date')
      }
    }
    if (this.#at.symbol !== -1) {
      const symbol = readSymbol(this.#required('symbol'))
      if (!symbol) throw new RowRefusal('symbol', 'is not a symbol')
      order.symbol = symbol
    }
    return order
  }

  /** Its distance, in money per share or in percent. */
  #trail(order: OrderRow): void {
    if (this.#text('trail_percent') === '') {
      order.trailAmount = this.#amount('trail_amount', order.type)
      return
    }
    if (this.#text('trail_amount') !== '') {
      throw new RowRefusal('trail_percent', 'stands beside a trail_amount: give one of them')
    }
    const percent = this.#amount('trail_percent', order.type)
    if (decimal.parse(percent) >= decimal.parse('100')) {
      throw new RowRefusal('trail_percent', 'is not below 100')
    }
    order.trailPercent = percent
  }

  #id(): string {
    const id = this.#required('id')
    const line = this.#lineOfId.get(id)
    if (line !== undefined) throw new RowRefusal('id', `repeats line ${line}`)
    this.#lineOfId.set(id, this.#scanner.line)
    return id
  }

  #text(field: string): string {
    return this.#scanner.text(this.#at[field]!)
  }

  #required(field: string, type?: string): string {
    const text = this.#text(field)
    if (text === '') {
      throw new RowRefusal(field, type ? `is missing; a ${type} order needs it` : 'is missing')
    }
    return text
  }

  #stamp(field: string): number {
    this.#required(field)
    const { bytes, starts, ends } = this.#scanner
    const at = this.#at[field]!
    const time = this.#stamps.read(bytes, starts[at]!, ends[at]!)
    if (this.#stamps.fault !== '') throw new RowRefusal(field, stampReason(this.#stamps.fault))
    return time
  }

  /** Decimal text above zero, shortest form. More than nine decimals would be another number. */
  #amount(field: string, type?: string): string {
    const plain = plainDecimal(this.#required(field, type))
    if (plain === undefined) throw new RowRefusal(field, 'is not a number')
    if (/\.\d{9}\d*[1-9]/.test(plain)) throw new RowRefusal(field, 'has more than nine decimals')
    const value = decimal.parse(plain)
    if (value <= 0) throw new RowRefusal(field, 'is not above zero')
    if (decimal.toNumber(value) >= 1e15) throw new RowRefusal(field, 'is larger than 1e15')
    return decimal.format(value)
  }
}
