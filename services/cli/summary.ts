/** summary.json, and the same for people. */
import type { BacktestResult } from '../../engine/backtest/backtest.ts'
import { format, parse } from '../../engine/decimal.ts'
import type { Job } from './backtest-input.ts'
import { hasColor, outputWidth, styled, table } from './output.ts'
import { barTime } from './out-folder.ts'

export type Summary = ReturnType<typeof summaryOf>

const RISK_FREE_RATE = 0
const PERIODS_PER_YEAR = 252

/** The document of `--json` and summary.json; its shape is part of the public surface. */
export function summaryOf(job: Job, result: BacktestResult, seed: number, seconds: number) {
  const { settings } = job
  const { cash, fill, limitFill, participation, slippageBps, ...rest } = settings.exchange
  const { commission, feePerShare, feeMin, ...more } = rest
  const perShare = Number(feePerShare) > 0
  const time = barTime(settings.timeframe === '1d')
  return {
    assumptions: {
      fill,
      limitFill,
      commission: Number(commission),
      ...(perShare && { feePerShare: Number(feePerShare), feeMin: Number(feeMin) }),
      slippageBps,
      participation,
      cash,
      // What was asked for beyond these, under the names of the settings.
      ...more,
      riskFreeRate: RISK_FREE_RATE,
      periodsPerYear: PERIODS_PER_YEAR,
      seed,
      timeframe: settings.timeframe,
      strategies: settings.strategies,
      risk: settings.risk,
    },
    bars: result.bars,
    from: time(result.from),
    to: time(result.to),
    symbols: result.symbols,
    durationSeconds: seconds,
    barsPerSecond: seconds > 0 ? Math.round(result.bars / seconds) : null,
    equity: result.equity,
    returns: result.returns,
    trades: result.trades,
    orders: { ...result.orders, working: result.working },
    fees: result.fees,
    // Paid without an order: fees for borrowed shares.
    ...(result.charges !== '0' && { charges: result.charges }),
    ...(result.actions !== undefined && { actions: result.actions }),
    digest: result.digest,
    warnings: job.warnings,
  }
}

/** A summary as a table that fits the terminal. */
export function summaryText(
  job: Job,
  summary: Summary,
  width: number = outputWidth(),
  color: boolean = hasColor(),
): string {
  const { assumptions, equity, returns, trades, orders } = summary
  const charged = summary.charges === undefined ? '' : `, charges ${money(summary.charges)}`
  const list = job.orders === null ? '' : `${job.orders.length} listed orders`
  const traded = assumptions.strategies
    .map(({ name, params }) => [name, ...Object.entries(params).map(([k, v]) => `${k}=${v}`)])
    .map((words) => words.join(' '))
    .join('; ')
  const rows: [string, string][] = [
    ['Trades by', traded || list || 'nothing'],
    ['Bars', `${count(summary.bars)} of ${summary.symbols.join(', ')} (${assumptions.timeframe})`],
    ['Period', `${summary.from} to ${summary.to}`],
    ['Costs', costs(assumptions)],
    ['Fills', fills(assumptions)],
    ['Risk limits', assumptions.risk === null ? 'off' : limits(assumptions.risk)],
    [
      'Equity',
      `${money(equity.start)} → ${money(equity.end)}, peak ${money(equity.peak)}, fees ${money(summary.fees)}${charged}`,
    ],
    ['Return', `${percent(returns.total)}, a year ${percent(returns.cagr)}`],
    [
      'Risk',
      `volatility ${percent(returns.volatility)}, Sharpe ${ratio(returns.sharpe)}, Sortino ${ratio(returns.sortino)}, Calmar ${ratio(returns.calmar)}`,
    ],
    [
      'Drawdown',
      `${percent(returns.maxDrawdown)}, longest ${count(Math.round(returns.maxDrawdownDays))} days`,
    ],
    [
      'Trades',
      `${count(trades.count)} closed, ${count(trades.open)} open, won ${percent(trades.winRate)}, profit factor ${ratio(trades.profitFactor)}, best ${percent(trades.best)}, worst ${percent(trades.worst)}`,
    ],
    [
      'Orders',
      Object.entries(orders)
        .filter(([name, n]) => n > 0 || name === 'submitted')
        .map(([name, n]) => `${count(n)} ${name}`)
        .join(', '),
    ],
    ...actionRows(summary),
    [
      'Speed',
      `${summary.durationSeconds.toFixed(3)} s, ${count(summary.barsPerSecond ?? 0)} bars/s`,
    ],
    ['Digest', summary.digest],
  ]
  const notes = summary.warnings.map((text): [string, string] => ['Warning', text])
  const lines = [table([...rows, ...notes], width, color)]
  if (color) return lines.join('\n').replaceAll('Warning', styled('Warning', 'yellow', color))
  return lines.join('\n')
}

/** What corporate actions did; positions that a delisting closed are named. */
function actionRows({ actions }: Summary): [string, string][] {
  if (actions === undefined) return []
  const { splits, dividends, dividendCash, delisted, renamed } = actions
  const rows: [string, string][] = [
    [
      'Actions',
      `${count(splits)} splits, ${count(dividends)} dividends worth ${money(dividendCash)}`,
    ],
  ]
  for (const { symbol, exDate, qty, price } of delisted) {
    rows.push(['Delisted', `${symbol} ${exDate}: ${qty} shares closed at ${price}`])
  }
  for (const { symbol, newSymbol, exDate } of renamed) {
    rows.push(['Renamed', `${symbol} ${exDate}: now ${newSymbol}`])
  }
  return rows
}

function costs(assumptions: Summary['assumptions']): string {
  const perShare = assumptions.feePerShare ?? 0
  const { spreadBps = 0, impactBps = 0, regulatoryFees = 'none', borrowRate = '0' } = assumptions
  const more = [
    ...(spreadBps > 0 ? [`spread ${spreadBps} bps`] : []),
    ...(impactBps > 0 ? [`impact ${impactBps} bps`] : []),
    ...(regulatoryFees === 'none' ? [] : ['fees of SEC and FINRA']),
    ...(Number(borrowRate) > 0 ? [`borrow fee ${percent(Number(borrowRate))} a year`] : []),
  ]
  const free = assumptions.commission === 0 && perShare === 0 && assumptions.slippageBps === 0
  if (free && more.length === 0) return 'frictionless'
  const fee =
    perShare > 0
      ? `${perShare} a share, at least ${assumptions.feeMin}`
      : `commission ${percent(assumptions.commission)}`
  return [`${fee}, slippage ${assumptions.slippageBps} bps`, ...more].join(', ')
}

function fills(assumptions: Summary['assumptions']): string {
  const { fill, limitFill, participation, sessions = 'none', shorts = 'all' } = assumptions
  const { multiplier, washTrades = 'allow', shortable = [] } = assumptions
  const share = participation === 0 ? 'any volume' : `up to ${percent(participation)} of volume`
  return [
    `market orders at ${fill}`,
    `limits when traded ${limitFill === 'touch' ? 'at' : 'through'}`,
    share,
    ...(sessions === 'none' ? [] : [`in the hours of ${sessions}`]),
    ...(shorts === 'all' ? [] : [`short sales of ${shortable.join(' ') || 'nothing'}`]),
    ...(multiplier === undefined ? [] : [`buying power ${multiplier}×`]),
    ...(washTrades === 'allow' ? [] : ['no wash trades']),
  ].join(', ')
}

function limits(risk: object): string {
  const set = Object.entries(risk).map(([name, limit]) => `${name} ${limit}`)
  return set.length === 0 ? 'none set' : set.join(', ')
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function percent(value: number | null): string {
  return value === null ? 'n/a' : `${(value * 100).toFixed(2)} %`
}

function ratio(value: number | null): string {
  return value === null ? 'n/a' : value.toFixed(2)
}

/** Exact, with thousands set apart; cents are kept, further decimals only where there are any. */
function money(text: string): string {
  const [whole = '0', rest] = format(parse(text)).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return rest === undefined ? grouped : `${grouped}.${rest.padEnd(2, '0')}`
}
