/** The bars and settings that a book has recorded. */
import type { ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { decodeBody } from '../../engine/events/envelope.ts'
import { DAY_MS, formatTime, parseTime } from '../../engine/time.ts'
import type {
  ChainSettings,
  EngineStarted,
  MarketAction,
  MarketBar,
} from '../../schemas/types.gen.ts'
import { type BookLocation, openStore } from '../adapters/open-store.ts'
import { bookStream } from '../runtime/folder.ts'
import type { Bars } from './backtest-input.ts'
import { shownLocation } from './book-location.ts'
import { CliError, UsageError } from './exit-codes.ts'
import { Progress } from './output.ts'

export interface History {
  bars: Bars
  /** Corporate actions that were recorded, within the range of the bars. */
  actions: ListedAction[]
  settings: ChainSettings
  warnings: string[]
}

/** Columns that grow: how many bars a book holds is known only once it is read. */
class GrowingColumns {
  length = 0
  private capacity = 1024
  private readonly floats = ['time', 'open', 'high', 'low', 'close', 'volume'] as const
  readonly data = {
    time: new Float64Array(this.capacity),
    open: new Float64Array(this.capacity),
    high: new Float64Array(this.capacity),
    low: new Float64Array(this.capacity),
    close: new Float64Array(this.capacity),
    volume: new Float64Array(this.capacity),
    symbol: new Uint16Array(this.capacity),
  }

  add(bar: MarketBar, time: number, symbol: number): void {
    if (this.length === this.capacity) this.grow()
    const { data, length: row } = this
    data.time[row] = time
    data.open[row] = Number(bar.open)
    data.high[row] = Number(bar.high)
    data.low[row] = Number(bar.low)
    data.close[row] = Number(bar.close)
    data.volume[row] = bar.volume === null ? Number.NaN : Number(bar.volume)
    data.symbol[row] = symbol
    this.length++
  }

  /** Rows by time; those of one time stay as they were recorded. Returns how many moved. */
  sort(): number {
    const { data, length } = this
    const order = Uint32Array.from({ length }, (_, row) => row)
    order.sort((a, b) => data.time[a]! - data.time[b]! || a - b)
    let moved = 0
    for (let row = 0; row < length; row++) if (order[row] !== row) moved++
    if (moved === 0) return 0
    for (const name of this.floats)
      data[name] = data[name].slice(0, length).map((_, row, from) => from[order[row]!]!)
    data.symbol = data.symbol.slice(0, length).map((_, row, from) => from[order[row]!]!)
    this.capacity = length
    return moved
  }

  private grow(): void {
    const { data } = this
    this.capacity *= 2
    for (const name of this.floats) {
      const wider = new Float64Array(this.capacity)
      wider.set(data[name])
      data[name] = wider
    }
    const symbol = new Uint16Array(this.capacity)
    symbol.set(data.symbol)
    data.symbol = symbol
  }
}

/**
 * Reads the book of a folder, which an engine may be writing to. Bars that a backtest would not trade on,
 * late or corrected ones, are counted and left out. Throws NoBook, CorruptBook, no_bars, UsageError.
 */
export async function readHistory(
  location: BookLocation,
  options: { from?: string; to?: string; timeframe?: Timeframe },
): Promise<History> {
  const from = options.from === undefined ? Number.NEGATIVE_INFINITY : parseTime(options.from)
  const to = options.to === undefined ? Number.POSITIVE_INFINITY : lastMoment(options.to)
  if (from > to) throw new UsageError(`--from ${options.from} is after --to ${options.to}`)
  const columns = new GrowingColumns()
  const symbols: string[] = []
  const indexOf = new Map<string, number>()
  const newest = new Map<string, number>()
  const actions: ListedAction[] = []
  const recorded: { settings: ChainSettings | null } = { settings: null }
  let late = 0
  let outside = 0
  const where = shownLocation(location)
  const store = await openStore(location, { readonly: true })
  const progress = new Progress('reading the book')
  try {
    const stream = bookStream()
    const head = await store.head(stream)
    for await (const page of store.read(stream, 0, head)) {
      for (const stored of page) {
        if (stored.type === 'engine.started') {
          recorded.settings = (decodeBody(stored).data as EngineStarted).settings
        } else if (stored.type === 'market.action') {
          const action = decodeBody(stored).data as MarketAction
          const { feed: _feed, time, ...data } = action
          const at = parseTime(time)
          if (at >= from && at <= to) actions.push({ ...data, time: at })
        } else if (stored.type === 'market.bar') {
          const bar = decodeBody(stored).data as MarketBar
          const key = `${bar.symbol} ${bar.timeframe}`
          const time = parseTime(bar.time)
          if (!(time > (newest.get(key) ?? Number.NEGATIVE_INFINITY))) {
            late++
            continue
          }
          newest.set(key, time)
          if (time < from || time > to) {
            outside++
            continue
          }
          // One run has one timeframe; the newest settings say which, so others are sorted out below.
          let index = indexOf.get(key)
          if (index === undefined) {
            index = symbols.push(key) - 1
            indexOf.set(key, index)
          }
          columns.add(bar, time, index)
        }
      }
      progress.update(page[page.length - 1]!.position, head)
    }
  } finally {
    progress.finish()
    await store.close()
  }
  const { settings } = recorded
  if (settings === null) {
    throw new CliError('no_bars', `the book in ${where} is empty: \`bitacora start\` fills it`)
  }
  const timeframe = settings.timeframe as Timeframe
  if (options.timeframe !== undefined && options.timeframe !== timeframe) {
    throw new UsageError(`the book in ${where} holds ${timeframe} bars, not ${options.timeframe}`)
  }
  const bars = select(columns, symbols, timeframe)
  const warnings: string[] = []
  if (bars.columns.length === 0) {
    const held = outside > 0 ? `; the book holds ${outside} outside that range` : ''
    const range = `from ${options.from ?? 'the start'} to ${options.to ?? 'the end'}`
    throw new CliError('no_bars', `the book in ${where} holds no ${timeframe} bars ${range}${held}`)
  }
  if (late > 0) warnings.push(`${late} late or corrected bars of the book were left out`)
  if (bars.moved > 0) {
    const first = formatTime(bars.columns.time[0]!)
    warnings.push(`${bars.moved} bars since ${first} were recorded out of order and put in order`)
  }
  return { bars, actions, settings, warnings }
}

/** The bars of one timeframe, in order, with symbols numbered by their first appearance. */
function select(
  all: GrowingColumns,
  keys: readonly string[],
  timeframe: Timeframe,
): Bars & { moved: number } {
  const moved = all.sort()
  const number = new Int32Array(keys.length).fill(-1)
  const wanted = keys.map((key) => key.endsWith(` ${timeframe}`))
  const symbols: string[] = []
  const { data } = all
  let length = 0
  for (let row = 0; row < all.length; row++) {
    const key = data.symbol[row]!
    if (!wanted[key]) continue
    if (number[key] === -1) {
      number[key] = symbols.push(keys[key]!.slice(0, -timeframe.length - 1)) - 1
    }
    for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
      data[name][length] = data[name][row]!
    }
    data.symbol[length] = number[key]!
    length++
  }
  return { symbols, timeframe, columns: { ...data, length }, moved }
}

/** A date means all of that day. */
function lastMoment(text: string): number {
  const time = parseTime(text)
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? time + DAY_MS - 1 : time
}
