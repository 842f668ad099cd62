/**
 * Lists of corporate actions (`--actions FILE`): `symbol,ex_date,kind,value[,new_symbol]`, kind = split (value: new
 * shares for one old), dividend (value: money per share), delist (value: price paid per share, the last close when
 * empty), rename (new_symbol). Other columns are ignored.
 */
import { effectiveAt, type ListedAction } from '../../engine/backtest/listed-actions.ts'
import * as decimal from '../../engine/decimal.ts'
import type { ActionKind } from '../../engine/market/actions.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import { formatDay } from '../../engine/time.ts'
import { BadCsvFile, type ColumnRule } from './csv.ts'
import { ListReader, readList, RowRefusal } from './csv-list.ts'

/** A list of corporate actions that cannot be used as it is; nothing in it is skipped. */
export class BadActionsFile extends BadCsvFile {
  override name = 'BadActionsFile'
  readonly code = 'bad_actions_file'
}

const DAY = 86_400_000

const COLUMNS: readonly ColumnRule[] = [
  { name: 'symbol', aliases: [], required: true },
  { name: 'ex_date', aliases: ['exdate', 'date'], required: true },
  { name: 'kind', aliases: ['type'], required: true },
  { name: 'value', aliases: [], required: false },
  { name: 'new_symbol', aliases: ['newsymbol'], required: false },
]

const KINDS: ReadonlySet<string> = new Set(['split', 'dividend', 'delist', 'rename'])
const REMEDY = 'Correct the rows: no corporate action is left out.'

/** Reads a list of corporate actions, in the order of their dates. Throws BadActionsFile. */
export function readActionsCsv(path: string, timeframe: Timeframe): ListedAction[] {
  const open = (bytes: Buffer) => new ActionReader(bytes, timeframe)
  const actions = readList(path, open, BadActionsFile, REMEDY)
  return actions.sort((a, b) => a.time - b.time)
}

class ActionReader extends ListReader<ListedAction> {
  readonly #timeframe: Timeframe
  readonly #lineOf = new Map<string, number>()

  constructor(bytes: Buffer, timeframe: Timeframe) {
    super(bytes, COLUMNS)
    this.#timeframe = timeframe
  }

  protected row(line: number): ListedAction {
    const symbol = this.symbol('symbol')
    const exDate = this.#date()
    const kind = this.required('kind').toLowerCase()
    if (!KINDS.has(kind)) {
      throw new RowRefusal('kind', 'is none of split, dividend, delist, rename')
    }
    const action: ListedAction = {
      symbol,
      kind: kind as ActionKind,
      exDate,
      time: effectiveAt(exDate, this.#timeframe),
    }
    if (kind === 'rename') action.newSymbol = this.#newSymbol(symbol)
    else {
      const value = this.#value(kind)
      if (value !== null) action.value = value
    }
    const key = `${symbol} ${exDate} ${kind}`
    const other = this.#lineOf.get(key)
    if (other !== undefined) {
      throw new RowRefusal(
        'row',
        `a second ${kind} of ${symbol} on ${exDate}; line ${other} has one`,
      )
    }
    this.#lineOf.set(key, line)
    return action
  }

  protected need(kind: string): string {
    return `a ${kind}`
  }

  #newSymbol(symbol: string): string {
    const named = this.symbol('new_symbol', 'rename')
    if (named === symbol) throw new RowRefusal('new_symbol', 'is the symbol that it has')
    return named
  }

  #date(): string {
    const time = this.stamp('ex_date')
    if (this.hadTime) {
      throw new RowRefusal('ex_date', 'is a time; an action takes effect with a day: YYYY-MM-DD')
    }
    return formatDay(time / DAY)
  }

  /** Decimal text above zero, shortest form; null where a delisting names no price. */
  #value(kind: string): string | null {
    if (kind === 'delist' && this.text('value') === '') return null
    const value = this.amount('value', kind)
    const most = kind === 'split' ? 10_000 : 1e9
    const least = kind === 'split' ? 0.0001 : 0
    const size = decimal.toNumber(value)
    if (size > most || size < least) {
      throw new RowRefusal('value', `is no plausible ${kind}: from ${least} to ${most}`)
    }
    return decimal.format(value)
  }
}
