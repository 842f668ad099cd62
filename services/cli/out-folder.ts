/** The files of `--out DIR`, written while the backtest runs. */
import {
  closeSync,
  existsSync,
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
import { diskReason, FolderNotMade, makeFolder } from '../runtime/make-folder.ts'
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
  private readonly fail: (error: unknown, path: string) => never
  private readonly handle: number
  private text = ''
  private open = true

  /** `fail` throws what a refusal of the disk becomes. */
  constructor(path: string, fail: (error: unknown, path: string) => never) {
    this.path = path
    this.fail = fail
    this.handle = this.guard(() => openSync(`${path}.part`, 'w'))
  }

  write(text: string): void {
    this.text += text
    if (this.text.length >= BUFFER) this.flush()
  }

  close(): void {
    if (!this.open) return
    this.flush()
    this.open = false
    this.guard(() => closeSync(this.handle))
  }

  publish(): void {
    this.guard(() => renameSync(`${this.path}.part`, this.path))
  }

  /** Writes no more; what is on disk stays under its other name. Never throws. */
  abandon(): void {
    if (!this.open) return
    this.open = false
    try {
      closeSync(this.handle)
    } catch {
      // Whoever abandons it reports the fault that made him.
    }
  }

  /** Never throws: a file that stays behind is named for what it is. */
  discard(): void {
    this.abandon()
    try {
      rmSync(`${this.path}.part`, { force: true })
    } catch {
      // As above.
    }
  }

  private flush(): void {
    const bytes = Buffer.from(this.text)
    this.text = ''
    this.guard(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.handle, bytes, done)
    })
  }

  private guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      return this.fail(error, `${this.path}.part`)
    }
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
  private faulty = false

  /**
   * Refuses a folder with files that are not a backtest's. Here and later the disk's refusals are thrown as
   * out_unwritable. Throws out_not_empty, out_unwritable.
   */
  constructor(dir: string, daily: boolean, listed: readonly ListedOrder[] | null) {
    prepare(dir)
    const made: Partial<Record<FileName, Draft>> = {}
    const fail = (error: unknown, path: string): never => {
      this.faulty = true
      for (const draft of Object.values(made)) draft.abandon()
      throw unwritable(dir, path, error)
    }
    for (const name of FILES) made[name] = new Draft(join(dir, name), fail)
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

  /** Leaves what was there before; after a fault of the disk also the unfinished files that its message names. */
  discard(): void {
    if (this.faulty) return
    for (const name of FILES) this.drafts[name].discard()
  }
}

function prepare(dir: string): void {
  let names: string[]
  try {
    makeFolder(dir)
    names = readdirSync(dir)
  } catch (error) {
    throw unwritable(dir, error instanceof FolderNotMade ? error.place : dir, error)
  }
  const ours = new Set<string>(FILES.flatMap((name) => [name, `${name}.part`]))
  const other = names.find((name) => !ours.has(name))
  if (other === undefined || holdsBacktest(dir)) return
  throw new CliError(
    'out_not_empty',
    `--out ${dir} is not empty and holds no backtest (there is ${other}): name a new folder`,
  )
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'free space there, or name a folder on another disk',
  EDQUOT: 'free space there, or name a folder on another disk',
  EROFS: 'name a folder on a disk that can be written',
  EACCES: 'get the right to write there, or name another folder',
  EPERM: 'get the right to write there, or name another folder',
  EISDIR: 'move that folder away, or name another one for --out',
}

/** `path`: the file or folder at which the disk refused. */
function unwritable(dir: string, path: string, error: unknown): CliError {
  const { code } = (error instanceof FolderNotMade ? error.cause : error) as NodeJS.ErrnoException
  const partial = FILES.map((name) => `${name}.part`).filter((name) => existsSync(join(dir, name)))
  const left = partial.length === 0 ? '' : `; unfinished and left there: ${partial.join(', ')}`
  return new CliError(
    'out_unwritable',
    `--out ${dir} cannot be written (${path}: ${diskReason(error)}): ${REMEDIES[code ?? ''] ?? 'name another folder'}${left}`,
    { path, reason: code ?? null, partial },
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
