import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { dirOption, isoDuration, jsonOption, positiveAmount, wait } from './options.ts'

export interface SignalOptions {
  qty?: string
  notional?: string
  limit?: string
  stop?: string
  takeProfit?: string
  stopLoss?: string
  trailPercent?: string
  tif?: 'day' | 'gtc'
  reason?: string
  validFor?: string
  id?: string
  operator?: string
  /** ms; false with --no-wait. */
  wait: number | false
  dir?: string
  json?: true
}

const DEFAULT_WAIT_MS = 5000

export function registerSignal(program: Command): void {
  program
    .command('signal')
    .description('ask the engine to trade, and print its verdict')
    .addArgument(new Argument('<side>', 'what is wanted').choices(['buy', 'sell', 'close']))
    .argument('<symbol>', 'ticker, such as AAPL')
    .option('--qty <shares>', 'shares', positiveAmount)
    .option('--notional <amount>', 'value instead of shares', positiveAmount)
    .option('--limit <price>', 'limit order at this price', positiveAmount)
    .option('--stop <price>', 'stop order at this price', positiveAmount)
    .option('--take-profit <price>', 'exit with a gain, placed with the entry', positiveAmount)
    .option('--stop-loss <price>', 'exit with a loss, placed with the entry', positiveAmount)
    .option('--trail-percent <n>', 'trailing exit instead of --stop-loss', positiveAmount)
    .addOption(new Option('--tif <time>', 'how long the order stands').choices(['day', 'gtc']))
    .option('--reason <text>', 'why, in words')
    .option('--valid-for <duration>', 'how long it may be acted upon (default: PT1M)', isoDuration)
    .option('--id <id>', 'the same id is acted upon once (default: a new one)', signalId)
    .option('--operator <name>', 'who asks (default: USER, else cli)', operatorName)
    .addOption(
      new Option('--wait <time>', 'how long to wait for the verdict')
        .argParser(wait)
        .default(DEFAULT_WAIT_MS, '5s'),
    )
    .option('--no-wait', 'return as soon as it is stored')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      "\nExit code 3 when denied, 4 when stored but not answered in time. Signed when\nSIGNALS_KEYS_FILE has the operator's key.",
    )
    .action(async (side: 'buy' | 'sell' | 'close', symbol: string, options: SignalOptions) => {
      const { runSignalCommand } = await import('./signal-run.ts')
      await runSignalCommand(side, symbol, options)
    })
}

/** One token of a subject. */
export function operatorName(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) {
    throw new InvalidArgumentError('Give 1 to 64 letters, digits, _ and -.')
  }
  return text
}

function signalId(text: string): string {
  if (!/^[\x21-\x7e]{1,128}$/.test(text)) {
    throw new InvalidArgumentError('Give 1 to 128 printable characters without spaces.')
  }
  return text
}
