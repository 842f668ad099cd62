/** orders.csv and fills.csv, from the events of a backtest. */
import type { ChainEvent } from '../../engine/chain/processor.ts'
import { add, type Decimal, div, format, mul, parse, ZERO } from '../../engine/decimal.ts'
import type { ListedOrder } from '../../engine/backtest/listed-orders.ts'
import { DAY_MS, formatDay, formatTime, parseTime, tradingDay } from '../../engine/time.ts'
import type { OrderIntended } from '../../schemas/types.gen.ts'

interface Row {
  head: string
  status: string
  filled: Decimal
  value: Decimal
  fees: Decimal
  ended: string
  code: string
  signalId: string
  done: boolean
}

interface Sink {
  write(text: string): void
}

/**
 * Rows of orders.csv stand in the order of submission. One is written when it and all before it are over,
 * so that only what waits is kept.
 */
export class OrderRows {
  private readonly orders: Sink
  private readonly fills: Sink
  private readonly daily: boolean
  private readonly listed: readonly ListedOrder[] | null
  private readonly rows = new Map<number, Row>()

  /** `listed` orders are numbered by their place, from 1; they bring their ids. */
  constructor(orders: Sink, fills: Sink, daily: boolean, listed: readonly ListedOrder[] | null) {
    this.orders = orders
    this.fills = fills
    this.daily = daily
    this.listed = listed
    orders.write(
      'id,submitted,symbol,side,type,qty,limit_price,stop_price,time_in_force,status,filled_qty,avg_price,fees,ended,code,signal_id\n',
    )
    fills.write('id,timestamp,symbol,side,qty,price,fee\n')
  }

  take(event: ChainEvent): void {
    switch (event.type) {
      case 'order.intended':
        this.rows.set(event.data.orderId, this.row(event.data, event.at))
        break
      case 'order.accepted':
        this.set(event.data.orderId, (row) => {
          row.status = 'working'
        })
        break
      case 'order.held':
        this.set(event.data.orderId, (row) => {
          row.status = 'held'
        })
        break
      case 'order.filled':
        this.fill(event)
        break
      case 'order.rejected':
      case 'order.canceled':
      case 'order.expired':
      case 'order.replaced':
        this.set(event.data.orderId, (row) => {
          row.status = event.type.slice('order.'.length)
          row.ended = this.moment(event.at, event.data.occurredAt)
          row.code = event.data.code
          row.done = true
        })
        break
      default:
        break
    }
  }

  /** Writes the rest: what waited behind an order that still works, and that order. */
  finish(): void {
    for (const row of this.rows.values()) this.orders.write(line(row))
    this.rows.clear()
  }

  private row(order: OrderIntended, at: number): Row {
    const id = this.id(order.orderId)
    const time = this.listed?.[order.orderId - 1]?.submitTime
    let submitted = this.daily ? formatDay(tradingDay(at)) : formatTime(at)
    if (time !== undefined) {
      submitted = this.daily ? formatDay(Math.floor(time / DAY_MS)) : formatTime(time)
    }
    const prices = `${order.limitPrice ?? ''},${order.stopPrice ?? ''}`
    const head = `${csvField(id)},${submitted},${order.symbol},${order.side},${order.type},${order.qty},${prices},${order.timeInForce}`
    return {
      head,
      status: 'intended',
      filled: ZERO,
      value: ZERO,
      fees: ZERO,
      ended: '',
      code: '',
      signalId: csvField(order.signalId),
      done: false,
    }
  }

  private fill(event: Extract<ChainEvent, { type: 'order.filled' }>): void {
    const { orderId, symbol, side, qty, price, fee, complete, occurredAt } = event.data
    const time = this.moment(event.at, occurredAt)
    this.fills.write(
      `${csvField(this.id(orderId))},${time},${symbol},${side},${qty},${price},${fee}\n`,
    )
    this.set(orderId, (row) => {
      const traded = parse(qty)
      row.filled = add(row.filled, traded)
      row.value = add(row.value, mul(parse(price), traded))
      row.fees = add(row.fees, parse(fee))
      row.status = complete ? 'filled' : 'partially_filled'
      if (complete) {
        row.ended = time
        row.done = true
      }
    })
  }

  private set(orderId: number, change: (row: Row) => void): void {
    const row = this.rows.get(orderId)
    if (row === undefined) return
    change(row)
    if (!row.done) return
    for (const [id, first] of this.rows) {
      if (!first.done) break
      this.orders.write(line(first))
      this.rows.delete(id)
    }
  }

  private id(orderId: number): string {
    return this.listed?.[orderId - 1]?.id ?? String(orderId)
  }

  /** Daily bars: the day; otherwise the exchange's own time. */
  private moment(at: number, occurredAt: string): string {
    return this.daily ? formatDay(tradingDay(at)) : formatTime(parseTime(occurredAt))
  }
}

function line(row: Row): string {
  const average = row.filled > 0 ? format(div(row.value, row.filled)) : ''
  return `${row.head},${row.status},${format(row.filled)},${average},${format(row.fees)},${row.ended},${row.code},${row.signalId}\n`
}

/** A field that may hold anything, as CSV. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
