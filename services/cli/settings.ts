/** Options that decide what the chain decides: the same names and defaults for `start` and `backtest`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { findStrategy, STRATEGIES } from '../../engine/strategies/registry.ts'
import { resolveParams } from '../../engine/strategies/params.ts'
import type { ParamValue } from '../../engine/strategies/strategy.ts'
import type { ChainSettings, ExchangeSettings, RiskLimits } from '../../schemas/types.gen.ts'
import { readSymbol } from '../market-data/csv-values.ts'
import { packageRoot } from '../runtime/folder.ts'
import { CliError, UsageError } from './exit-codes.ts'
import { amount, between, fraction, isGiven, pairs, positiveAmount } from './options.ts'

export const DEFAULT_EXCHANGE: ExchangeSettings = {
  cash: '100000',
  fill: 'next-open',
  limitFill: 'through',
  participation: 0.1,
  slippageBps: 1,
  commission: '0.001',
  feePerShare: '0',
  feeMin: '0',
}

/** --strategy and --set. */
export function addStrategyOptions(command: Command): Command {
  const names = STRATEGIES.map((strategy) => strategy.name).join(', ')
  return command
    .option('--strategy <name>', `the strategy: ${names}`)
    .addOption(
      new Option('--set <key=value...>', "the strategy's parameters, such as fast=10").argParser(
        pairs,
      ),
    )
}

/** Cash, costs and the fill model. */
export function addExchangeOptions(command: Command): Command {
  const base = DEFAULT_EXCHANGE
  return command
    .option('--cash <amount>', 'cash to begin with', positiveAmount, base.cash)
    .option('--commission <fraction>', 'commission, of value', fraction, base.commission)
    .option('--fee-per-share <amount>', 'commission per share, in place of --commission', amount)
    .option('--fee-min <amount>', 'smallest commission of a fill, with --fee-per-share', amount)
    .option(
      '--slippage-bps <n>',
      'slippage against the order, basis points',
      between(0, 10_000),
      base.slippageBps,
    )
    .addOption(
      new Option('--fill <when>', 'when market orders fill')
        .choices(['next-open', 'same-close'])
        .default(base.fill),
    )
    .addOption(
      new Option('--limit-fill <rule>', 'whether a limit fills when touched')
        .choices(['touch', 'through'])
        .default(base.limitFill),
    )
    .option(
      '--participation <share>',
      "share of a bar's volume an order may take; 0: no limit",
      between(0, 1),
      base.participation,
    )
    .option(
      '--spread-bps <n>',
      'spread assumed, basis points; market and stop orders pay half (default: 0)',
      between(0, 10_000),
    )
    .option(
      '--impact-bps <n>',
      "price impact of an order of a bar's whole volume, basis points (default: 0)",
      between(0, 100_000),
    )
    .addOption(
      new Option(
        '--regulatory-fees <market>',
        'fees of SEC and FINRA on sales, by date (default: none)',
      ).choices(['none', 'us-equity']),
    )
    .option('--borrow-rate <fraction>', 'yearly fee on short positions (default: 0)', fraction)
    .option(
      '--shorts <which>',
      'what may be sold short: all, none, or symbols such as AAPL,MSFT (default: all)',
      shortSales,
    )
    .addOption(
      new Option(
        '--multiplier <n>',
        'checks buying power: 1 cash, 2 overnight margin, 4 intraday (default: unchecked)',
      )
        .choices(['1', '2', '4'])
        .argParser(multiplier),
    )
    .addOption(
      new Option(
        '--wash-trades <rule>',
        "orders that could meet one of one's own (default: allow)",
      ).choices(['allow', 'refuse']),
    )
}

type Shorts = Pick<ExchangeSettings, 'shorts' | 'shortable'>

function shortSales(text: string): Shorts {
  if (text === 'all' || text === 'none') return { shorts: text }
  const shortable = new Set<string>()
  for (const name of text.split(',')) {
    const symbol = readSymbol(name)
    if (!symbol) throw new InvalidArgumentError('Give all, none, or symbols such as AAPL,MSFT.')
    shortable.add(symbol)
  }
  return { shorts: 'listed', shortable: [...shortable] }
}

function multiplier(text: string): 1 | 2 | 4 {
  if (text === '1' || text === '2' || text === '4') return Number(text) as 1 | 2 | 4
  throw new InvalidArgumentError('Allowed choices are 1, 2, 4.')
}

export function addRiskOption(command: Command): Command {
  return command.option('--risk <file|off>', 'risk limits (default: deploy/risk.default.json)')
}

interface ExchangeOptions {
  cash: string
  commission: string
  feePerShare?: string
  feeMin?: string
  slippageBps: number
  fill: ExchangeSettings['fill']
  limitFill: ExchangeSettings['limitFill']
  participation: number
  spreadBps?: number
  impactBps?: number
  regulatoryFees?: 'none' | 'us-equity'
  borrowRate?: string
  shorts?: Shorts
  multiplier?: 1 | 2 | 4
  washTrades?: 'allow' | 'refuse'
  /** Of addBarOptions. */
  sessions?: 'us-equity' | 'crypto'
}

/** The exchange of the options; `recorded` settings hold where an option is not given. Throws UsageError. */
export function exchangeSettings(command: Command, recorded?: ExchangeSettings): ExchangeSettings {
  const options = command.opts<ExchangeOptions>()
  const settings: ExchangeSettings = { ...DEFAULT_EXCHANGE, ...recorded }
  const given = (name: keyof ExchangeOptions) => isGiven(command, name)
  const perShare = given('feePerShare') || given('feeMin')
  if (perShare && given('commission')) {
    throw new UsageError(
      'give --commission or --fee-per-share with --fee-min, not both: each says what a fill costs',
    )
  }
  if (given('feeMin') && !given('feePerShare')) {
    throw new UsageError('--fee-min needs --fee-per-share: it is the least that is charged by it')
  }
  if (given('cash')) settings.cash = options.cash
  if (given('slippageBps')) settings.slippageBps = options.slippageBps
  if (given('fill')) settings.fill = options.fill
  if (given('limitFill')) settings.limitFill = options.limitFill
  if (given('participation')) settings.participation = options.participation
  if (perShare) {
    settings.commission = '0'
    settings.feePerShare = options.feePerShare!
    settings.feeMin = options.feeMin ?? '0'
  } else if (given('commission')) {
    settings.commission = options.commission
    settings.feePerShare = '0'
    settings.feeMin = '0'
  }
  const { shorts, ...others } = options
  for (const name of OPTIONAL) {
    const value = others[name]
    if (value !== undefined) Object.assign(settings, { [name]: value })
  }
  if (shorts !== undefined) {
    delete settings.shortable
    Object.assign(settings, shorts)
  }
  return settings
}

/** Settings that are left out, and mean nothing special, unless they are asked for. */
const OPTIONAL = [
  'spreadBps',
  'impactBps',
  'regulatoryFees',
  'borrowRate',
  'multiplier',
  'washTrades',
  'sessions',
] as const

/** A strategy with every parameter resolved, so that the settings say all of it. Throws InvalidParams. */
export function strategySettings(
  name: string,
  given: Readonly<Record<string, ParamValue>> = {},
): ChainSettings['strategies'][number] {
  return { name, params: { ...resolveParams(findStrategy(name), given) } }
}

export function defaultRiskFile(): string {
  return join(packageRoot(), 'deploy/risk.default.json')
}

/** The limits of `--risk`: a file, the default file when left out, null for "off". Throws bad_risk_file. */
export async function riskLimits(option: string | undefined): Promise<RiskLimits | null> {
  if (option === 'off') return null
  const path = option ?? defaultRiskFile()
  const bad = (what: string) =>
    new CliError('bad_risk_file', `${path} ${what}; or switch limits off with --risk off`, { path })
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw bad(code === undefined ? `is not JSON: ${message}` : `cannot be read (${code})`)
  }
  const { errorsText, validateBody } = await import('../../schemas/validate.ts')
  const checked = validateBody('risk-limits', value)
  if (!checked.ok) throw bad(`is refused: ${errorsText(checked.errors)}`)
  return checked.value
}
