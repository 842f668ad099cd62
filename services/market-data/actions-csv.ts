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
import { BadCsvFile, CsvRefusal, CsvScanner, readCsvBytes, readHeader, whole } from './csv.ts'
import type { ColumnRule, Fault, RowFault } from './csv.ts'
import { plainDecimal, readSymbol, StampReader, stampReason } from './csv-values.ts'

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
  try {
    const reader = new ActionReader(readCsvBytes(path), timeframe)
    if (reader.faults.length > 0) {
      const faults = reader.faults.map((fault): RowFault => ({ file: path, ...fault }))
      throw new BadActionsFile(path, faults, reader.rows, REMEDY, reader.header)
    }
    if (reader.rows === 0) throw whole('has a header but no rows')
    return reader.actions.sort((a, b) => a.time - b.time)
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error
    throw new BadActionsFile(path, [{ file: path, ...error.fault }], 0, '', error.header)
  }
}

/** Ends the row being read with what is wrong in it. */
class RowRefusal extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(reason)
    this.field = field
  }
}

class ActionReader {
  readonly actions: ListedAction[] = []
  readonly faults: Fault[] = []
  readonly header: string[]
  rows = 0
  readonly #scanner: CsvScanner
  readonly #at: Record<string, number>
  readonly #stamps = new StampReader()
  readonly #timeframe: Timeframe
  readonly #lineOf = new Map<string, number>()

  constructor(bytes: Buffer, timeframe: Timeframe) {
    this.#timeframe = timeframe
    this.#scanner = new CsvScanner(bytes)
    const { header, columns } = readHeader(this.#scanner, COLUMNS)
    this.header = header
    this.#at = columns
    while (this.#scanner.next()) {
      this.rows++
      try {
        this.actions.push(this.#action())
      } catch (error) {
        if (!(error instanceof RowRefusal)) throw error
        const { field, message: reason } = error
        const text = field === 'row' ? this.#scanner.texts().join(',') : this.#text(field)
        this.faults.push({ line: this.#scanner.line, field, reason, text })
      }
    }
  }

  #action(): ListedAction {
    const scanner = this.#scanner
    if (scanner.malformed) throw new RowRefusal('row', 'text after a closing quote')
    if (!scanner.hasWidth(this.header.length)) {
      const reason = `${scanner.count} fields where the header has ${this.header.length}`
      throw new RowRefusal('row', reason)
    }
    const symbol = this.#symbol('symbol')
    const exDate = this.#date()
    const kind = this.#required('kind').toLowerCase()
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
    const line = this.#lineOf.get(key)
    if (line !== undefined) {
      throw new RowRefusal(
        'row',
        `a second ${kind} of ${symbol} on ${exDate}; line ${line} has one`,
      )
    }
    this.#lineOf.set(key, scanner.line)
    return action
  }

  #text(field: string): string {
    const at = this.#at[field]
    return at === undefined || at < 0 ? '' : this.#scanner.text(at)
  }

  #required(field: string, kind?: string): string {
    const text = this.#text(field)
    if (text !== '') return text
    throw new RowRefusal(field, kind ? `is missing; a ${kind} needs it` : 'is missing')
  }

  #symbol(field: string, kind?: string): string {
    const symbol = readSymbol(this.#required(field, kind))
    if (!symbol) throw new RowRefusal(field, 'is not a symbol')
    return symbol
  }

  #newSymbol(symbol: string): string {
    const named = this.#symbol('new_symbol', 'rename')
    if (named === symbol) throw new RowRefusal('new_symbol', 'is the symbol that it has')
    return named
  }

  #date(): string {
    this.#required('ex_date')
    const { bytes, starts, ends } = this.#scanner
    const at = this.#at.ex_date!
    const time = this.#stamps.read(bytes, starts[at]!, ends[at]!)
    if (this.#stamps.fault !== '') throw new RowRefusal('ex_date', stampReason(this.#stamps.fault))
    if (this.#stamps.hasTime) {
      throw new RowRefusal('ex_date', 'is a time; an action takes effect with a day: YYYY-MM-DD')
    }
    return formatDay(time / DAY)
  }

  /** Decimal text above zero, shortest form; null where a delisting names no price. */
  #value(kind: string): string | null {
    if (kind === 'delist' && this.#text('value') === '') return null
    const plain = plainDecimal(this.#required('value', kind))
    if (plain === undefined) throw new RowRefusal('value', 'is not a number')
    if (/\.\d{9}\d*[1-9]/.test(plain)) throw new RowRefusal('value', 'has more than nine decimals')
    const value = decimal.parse(plain)
    if (value <= 0) throw new RowRefusal('value', 'is not above zero')
    const most = kind === 'split' ? 10_000 : 1e9
    const least = kind === 'split' ? 0.0001 : 0
    const size = decimal.toNumber(value)
    if (size > most || size < least) {
      throw new RowRefusal('value', `is no plausible ${kind}: from ${least} to ${most}`)
    }
    return decimal.format(value)
  }
}
