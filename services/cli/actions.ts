/** Corporate actions of `--actions FILE`, as far as they concern the bars. */
import type { ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { readActionsCsv } from '../market-data/actions-csv.ts'

export const ACTIONS_HELP =
  'splits, dividends, delistings and renames as CSV: symbol, ex_date, kind, value'

/**
 * The actions of the symbols that there are bars of, under this name or an earlier one. A list usually covers more
 * symbols than are traded; only when it covers none of them, `warn` is told. Throws BadActionsFile.
 */
export function loadActions(
  path: string,
  bars: { symbols: readonly string[]; timeframe: Timeframe },
  warn: (text: string) => void,
): ListedAction[] {
  const all = readActionsCsv(path, bars.timeframe)
  const known = new Set(bars.symbols)
  const wanted = all.filter(({ symbol, newSymbol }) => {
    if (!known.has(symbol)) return false
    if (newSymbol !== undefined) known.add(newSymbol)
    return true
  })
  if (wanted.length === 0) {
    warn(`${path} holds no action of ${bars.symbols.join(', ')}: nothing of it takes effect`)
  }
  return wanted
}
