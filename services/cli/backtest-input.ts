/** What a backtest runs on: bars, settings and listed orders, from options, files and the book. */
import { resolve } from 'node:path'
import type { Columns } from '../../engine/backtest/column-source.ts'
import type { ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { ListedOrder } from '../../engine/backtest/listed-orders.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { DAY_MS, formatDay } from '../../engine/time.ts'
import type { ParamValue } from '../../engine/strategies/strategy.ts'
import type { ChainSettings } from '../../schemas/types.gen.ts'
import { type BarLoadOptions, loadBars, reshapeBars } from '../market-data/bar-set.ts'
import { placeOf } from '../market-data/csv.ts'
import { readOrdersCsv } from '../market-data/orders-csv.ts'
import type { Command } from 'commander'
import { loadActions } from './actions.ts'
import type { BacktestOptions } from './backtest.ts'
import { barCache, barLoadOptions, checkSessionYears } from './bar-options.ts'
import { bookLocation } from './book-location.ts'
import { UsageError } from './exit-codes.ts'
import { readHistory } from './history.ts'
import { isGiven } from './options.ts'
import { warn } from './output.ts'
import { exchangeSettings, riskLimits, strategySettings } from './settings.ts'

export interface Bars {
  symbols: readonly string[]
  timeframe: Timeframe
  columns: Columns
  /** Start of the first bar that is traded on, ms; those before warm up. */
  tradeFrom?: number
}

export interface Job {
  bars: Bars
  settings: ChainSettings
  /** Orders of --orders, numbered by their place; null with a strategy. */
  orders: readonly ListedOrder[] | null
  /** Corporate actions, of --actions or recorded in the book; null where none were given. */
  actions: readonly ListedAction[] | null
  warnings: string[]
}

/** Reads all there is to read. Throws UsageError and the errors of the readers. */
export async function readJob(command: Command): Promise<Job> {
  const options = command.opts<BacktestOptions>()
  checkUsage(command, options)
  const warnings: string[] = []
  let bars: Bars
  let recorded: ChainSettings | null = null
  let actions: readonly ListedAction[] | null = null
  if (options.history) {
    const history = await readHistory(bookLocation(options.dir), reshapes(options) ? {} : options)
    bars = reshapes(options) ? reshaped(history.bars, options, warnings) : history.bars
    recorded = history.settings
    if (history.actions.length > 0) actions = history.actions
    warnings.push(...history.warnings)
  } else bars = await readFiles(options, warnings)
  if (options.actions !== undefined) {
    actions = loadActions(options.actions, bars, (text) => remark(warnings, text))
  }
  const exchange = exchangeSettings(command, recorded?.exchange)
  checkSessionYears(bars.columns, exchange.sessions)
  // Listed orders come from backtests on bars, where a trailing stop moves with the close.
  if (options.orders !== undefined) exchange.trail ??= 'close'
  const settings: ChainSettings = {
    feed: recorded?.feed ?? 'historical',
    timeframe: bars.timeframe,
    symbols: recorded?.symbols ?? [],
    strategies: strategies(options, recorded),
    risk: await risk(command, options, recorded),
    exchange,
  }
  const orders = options.orders === undefined ? null : listed(options.orders, bars, warnings)
  if (exchange.participation > 0 && bars.columns.volume.some(Number.isNaN)) {
    const none = bars.columns.volume.every(Number.isNaN)
    warnings.push(
      `${none ? 'the bars have no volume' : 'some bars have no volume'}: participation ${exchange.participation} is ignored ${none ? '' : 'for them '}and any quantity fills`,
    )
  }
  if (
    Number(exchange.commission) === 0 &&
    Number(exchange.feePerShare) === 0 &&
    exchange.slippageBps === 0 &&
    !exchange.spreadBps &&
    !exchange.impactBps
  ) {
    warnings.push('frictionless: no commission and no slippage; real trading costs both')
  }
  return { bars, settings, orders, actions, warnings }
}

function checkUsage(command: Command, options: BacktestOptions): void {
  const problems: string[] = []
  if (options.data === undefined && options.history === undefined) {
    problems.push('name the bars: --data PATH, or --history for those of the book')
  }
  if (options.data !== undefined && options.history !== undefined) {
    problems.push('give --data or --history, not both')
  }
  if (options.dir !== undefined && options.history === undefined) {
    problems.push('--dir goes with --history')
  }
  if (options.out?.trim() === '') problems.push('--out "": name a folder')
  if (options.orders !== undefined) {
    if (options.warmup !== undefined) {
      problems.push('--warmup does not go with --orders: listed orders need no features')
    }
    if (options.strategy !== undefined || options.set !== undefined) {
      problems.push('give --strategy or --orders, not both: only the listed orders are placed')
    }
    if (isGiven(command, 'risk') && options.risk !== 'off') {
      problems.push(
        '--risk does not go with --orders: listed orders go to the exchange as they are',
      )
    }
  } else if (options.strategy === undefined && options.history === undefined) {
    problems.push(
      options.set === undefined
        ? 'name what trades: --strategy NAME, or --orders FILE'
        : '--set needs --strategy',
    )
  }
  if (problems.length > 0) throw new UsageError(...problems)
}

async function readFiles(options: BacktestOptions, warnings: string[]): Promise<Bars> {
  const load: BarLoadOptions = barLoadOptions(options, options.timeframe)
  load.cache = barCache(options.dir)
  if (options.warmup !== undefined) load.warmup = options.warmup
  if (options.skipBadRows) load.skipBadRows = true
  if (options.from !== undefined) load.from = options.from
  if (options.to !== undefined) load.to = options.to
  const set = await loadBars(options.data ?? [], load)
  if (set.skipped.length > 0) {
    const [first] = set.skipped
    const { file, field, reason } = first!
    const rows = set.skipped.length === 1 ? '1 bad row was' : `${set.skipped.length} bad rows were`
    warnings.push(`${rows} left out; the first: ${file} ${placeOf(first!)}, ${field}: ${reason}`)
  }
  warnings.push(...set.notices)
  for (const file of set.ignored) warnings.push(`${file} holds no bars and was left out`)
  for (const path of repeated(options.data ?? [])) {
    remark(warnings, `--data names ${path} more than once: its bars count once`)
  }
  return set
}

/** Whether the bars of a book are wanted otherwise than they are recorded. */
function reshapes({ timeframe, warmup }: BacktestOptions): boolean {
  return timeframe !== undefined || warmup !== undefined
}

function reshaped(recorded: Bars, options: BacktestOptions, warnings: string[]): Bars {
  const timeframe = options.timeframe ?? recorded.timeframe
  const { notices, ...bars } = reshapeBars(recorded, recorded.timeframe, timeframe, options)
  warnings.push(...notices)
  return { ...bars, timeframe }
}

/** Likely a slip of the command line: told before the run as well as in its summary. */
function remark(warnings: string[], text: string): void {
  warn(text)
  warnings.push(text)
}

/** Paths given more than once, each once and as first spelt. */
function repeated(paths: readonly string[]): string[] {
  const spelt = new Map<string, { path: string; times: number }>()
  for (const path of paths) {
    const known = spelt.get(resolve(path))
    if (known === undefined) spelt.set(resolve(path), { path, times: 1 })
    else known.times++
  }
  return [...spelt.values()].filter(({ times }) => times > 1).map(({ path }) => path)
}

function strategies(
  options: BacktestOptions,
  recorded: ChainSettings | null,
): ChainSettings['strategies'] {
  if (options.orders !== undefined) return []
  if (options.strategy !== undefined) return [strategySettings(options.strategy, options.set)]
  const running = recorded?.strategies ?? []
  if (options.set === undefined) {
    return running.map(({ name, params }) => strategySettings(name, params))
  }
  const [only] = running
  if (only === undefined || running.length > 1) {
    throw new UsageError(
      `--set needs --strategy here: the book was run with ${running.length} strategies`,
    )
  }
  const params: Record<string, ParamValue> = { ...only.params, ...options.set }
  return [strategySettings(only.name, params)]
}

async function risk(
  command: Command,
  options: BacktestOptions,
  recorded: ChainSettings | null,
): Promise<ChainSettings['risk']> {
  if (options.orders !== undefined) return null
  if (recorded !== null && !isGiven(command, 'risk')) return recorded.risk
  return riskLimits(options.risk)
}

function listed(path: string, bars: Bars, warnings: string[]): ListedOrder[] {
  const rows = readOrdersCsv(path)
  const [only] = bars.symbols
  const unnamed = rows.find((row) => row.symbol === undefined)
  if (unnamed !== undefined && bars.symbols.length > 1) {
    throw new UsageError(
      `${path} line ${unnamed.line}: the bars hold ${bars.symbols.length} symbols, so the file needs a symbol column`,
    )
  }
  const foreign = rows.find((row) => row.symbol !== undefined && !bars.symbols.includes(row.symbol))
  if (foreign !== undefined) {
    throw new UsageError(`${path} line ${foreign.line}: there are no bars of ${foreign.symbol}`)
  }
  const orders = rows.map(({ line: _line, ...order }) => ({
    ...order,
    symbol: order.symbol ?? only!,
  }))
  warnEarly(path, orders, bars, warnings)
  return orders
}

/** Orders dated before there are prices: the wrong file, or bars cut too short. */
function warnEarly(
  path: string,
  orders: readonly (ListedOrder & { symbol: string })[],
  bars: Bars,
  warnings: string[],
): void {
  const { columns, symbols } = bars
  const starts = new Map<string, number>()
  for (let row = 0; row < columns.length && starts.size < symbols.length; row++) {
    const symbol = symbols[columns.symbol[row]!]!
    if (!starts.has(symbol)) starts.set(symbol, Math.floor(columns.time[row]! / DAY_MS))
  }
  const start = (symbol: string) => starts.get(symbol) ?? Number.NEGATIVE_INFINITY
  const early = orders.filter(({ submitTime, symbol }) => submitTime < start(symbol) * DAY_MS)
  const [first] = early
  if (first === undefined) return
  const many = early.length === 1 ? '1 order has' : `${early.length} orders have`
  const { id, submitTime, symbol } = first
  const day = formatDay(Math.floor(submitTime / DAY_MS))
  remark(
    warnings,
    `${path}: ${many} a submit_date before the first bar (${id}: ${day}, bars of ${symbol} begin ${formatDay(start(symbol))}); nothing can trade before that bar`,
  )
}
