/** The files of `--out DIR`, written while the backtest runs. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { BacktestListener } from '../../engine/backtest/backtest.ts'
import type { ListedOrder } from '../../engine/backtest/listed-orders.ts'
import { format } from '../../engine/decimal.ts'
import { DAY_MS, formatDay, formatTime } from '../../engine/time.ts'
import { CliError } from './exit-codes.ts'
import { OrderRows } from './order-rows.ts'

const FILES = [
  'trades.csv',
  'orders.csv',
  'fills.csv',
  'equity.csv',
  'decisions.ndjson',
  // Last: its being there says that the others are complete.
  'summary.json',
] as const
type FileName = (typeof FILES)[number]

const BUFFER = 64 * 1024

/** A file under another name until it is complete. Text is gathered, so that the disk is asked rarely. */
class Draft {
  readonly path: string
  private readonly handle: number
  private text = ''
  private open = true

  constructor(path: string) {
    this.path = path
    this.handle = openSync(`${path}.part`, 'w')
  }

  write(text: string): void {
    this.text += text
    if (this.text.length >= BUFFER) this.flush()
  }

  close(): void {
    if (!this.open) return
    this.open = false
    try {
      this.flush()
    } finally {
      closeSync(this.handle)
    }
  }

  publish(): void {
    renameSync(`${this.path}.part`, this.path)
  }

  discard(): void {
    this.text = ''
    this.close()
    rmSync(`${this.path}.part`, { force: true })
  }

  private flush(): void {
    const bytes = Buffer.from(this.text)
    this.text = ''
    for (let done = 0; done < bytes.length; ) done += writeSync(this.handle, bytes, done)
  }
}

/** Start of a bar as the files write it: a date for daily bars. */
export function barTime(daily: boolean): (ms: number) => string {
  return daily ? (ms) => formatDay(Math.floor(ms / DAY_MS)) : formatTime
}

export class OutFolder {
  readonly listener: BacktestListener
  private readonly drafts: Record<FileName, Draft>
  private readonly orders: OrderRows

  /** Refuses a folder with files that are not a backtest's. Throws out_not_empty and what the disk throws. */
  constructor(dir: string, daily: boolean, listed: readonly ListedOrder[] | null) {
    prepare(dir)
    const made: Partial<Record<FileName, Draft>> = {}
    for (const name of FILES) made[name] = new Draft(join(dir, name))
    const drafts = made as Record<FileName, Draft>
    this.drafts = drafts
    const time = barTime(daily)
    const trades = drafts['trades.csv']
    const equity = drafts['equity.csv']
    const decisions = drafts['decisions.ndjson']
    const orders = new OrderRows(drafts['orders.csv'], drafts['fills.csv'], daily, listed)
    this.orders = orders
    trades.write('symbol,side,qty,entry_time,entry_price,exit_time,exit_price,fees,pnl,return\n')
    equity.write('timestamp,cash,position_value,equity\n')
    this.listener = {
      decision: (line) => decisions.write(line),
      event: (event) => orders.take(event),
      equity: (point) =>
        equity.write(`${time(point.time)},${point.cash},${point.positionValue},${point.equity}\n`),
      trade: (trade) =>
        trades.write(
          `${trade.symbol},${trade.side},${format(trade.qty)},${time(trade.entryTime)},${format(trade.entryPrice)},${time(trade.exitTime)},${format(trade.exitPrice)},${format(trade.fees)},${format(trade.pnl)},${trade.return ?? ''}\n`,
        ),
    }
  }

  finish(summary: unknown): void {
    this.orders.finish()
    this.drafts['summary.json'].write(`${JSON.stringify(summary, null, 2)}\n`)
    for (const name of FILES) this.drafts[name].close()
    for (const name of FILES) this.drafts[name].publish()
  }

  /** Leaves what was there before. */
  discard(): void {
    for (const name of FILES) this.drafts[name].discard()
  }
}

function prepare(dir: string): void {
  let names: string[]
  try {
    mkdirSync(dir, { recursive: true })
    names = readdirSync(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error
    throw new CliError('out_not_empty', `--out ${dir} is a file: name a folder`)
  }
  const ours = new Set<string>(FILES.flatMap((name) => [name, `${name}.part`]))
  const other = names.find((name) => !ours.has(name))
  if (other === undefined || holdsBacktest(dir)) return
  throw new CliError(
    'out_not_empty',
    `--out ${dir} is not empty and holds no backtest (there is ${other}): name a new folder`,
  )
}

function holdsBacktest(dir: string): boolean {
  try {
    const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'))
    return typeof summary.assumptions === 'object' && typeof summary.digest === 'string'
  } catch {
    return false
  }
}
