/** Options that decide what the chain decides: the same names and defaults for `start` and `backtest`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { findStrategy, STRATEGIES } from '../../engine/strategies/registry.ts'
import { resolveParams } from '../../engine/strategies/params.ts'
import type { ParamValue } from '../../engine/strategies/strategy.ts'
import type { ChainSettings, ExchangeSettings, RiskLimits } from '../../schemas/types.gen.ts'
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
  return settings
}

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
