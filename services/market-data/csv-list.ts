/** Lists of which no row may be left out: orders, corporate actions. */
import * as decimal from '../../engine/decimal.ts'
import { type BadCsvFile, CsvRefusal, CsvScanner, readCsvBytes, readHeader, whole } from './csv.ts'
import type { ColumnRule, Fault, RowFault } from './csv.ts'
import { plainDecimal, readSymbol, StampReader, stampReason } from './csv-values.ts'

/** Ends the row being read with what is wrong in it. */
export class RowRefusal extends Error {
  /** Column, or 'row'. */
  readonly field: string

  constructor(field: string, reason: string) {
    super(reason)
    this.field = field
  }
}

type BadFile = new (...args: ConstructorParameters<typeof BadCsvFile>) => BadCsvFile

/** Reads every row of a file, or throws `Bad` with all that is wrong in it. */
export function readList<T>(
  path: string,
  open: (bytes: Buffer) => ListReader<T>,
  Bad: BadFile,
  remedy: string,
): T[] {
  try {
    const reader = open(readCsvBytes(path))
    const items = reader.read()
    if (reader.faults.length > 0) {
      const faults = reader.faults.map((fault): RowFault => ({ file: path, ...fault }))
      throw new Bad(path, faults, reader.rows, remedy, reader.header)
    }
    if (reader.rows === 0) throw whole('has a header but no rows')
    return items
  } catch (error) {
    if (!(error instanceof CsvRefusal)) throw error
    throw new Bad(path, [{ file: path, ...error.fault }], 0, '', error.header)
  }
}

/** Reads a list row by row; what a row means is its subclass's to say. */
export abstract class ListReader<T> {
  readonly faults: Fault[] = []
  readonly header: string[]
  rows = 0
  /** Whether the newest stamp had a time of day. */
  protected get hadTime(): boolean {
    return this.#stamps.hasTime
  }
  readonly #scanner: CsvScanner
  readonly #at: Record<string, number>
  readonly #stamps = new StampReader()

  /** Throws CsvRefusal where the header lacks a column. */
  constructor(bytes: Buffer, columns: readonly ColumnRule[]) {
    this.#scanner = new CsvScanner(bytes)
    const read = readHeader(this.#scanner, columns)
    this.header = read.header
    this.#at = read.columns
  }

  read(): T[] {
    const items: T[] = []
    const scanner = this.#scanner
    while (scanner.next()) {
      this.rows++
      try {
        this.#checkShape()
        items.push(this.row(scanner.line))
      } catch (error) {
        if (!(error instanceof RowRefusal)) throw error
        const { field, message: reason } = error
        const text = field === 'row' ? scanner.texts().join(',') : this.text(field)
        this.faults.push({ line: scanner.line, field, reason, text })
      }
    }
    return items
  }

  /** The item of the row in hand. Throws RowRefusal. */
  protected abstract row(line: number): T

  /** What a missing value is said to be needed by. */
  protected abstract need(kind: string): string

  protected hasColumn(field: string): boolean {
    return (this.#at[field] ?? -1) >= 0
  }

  /** Empty where the column is missing. */
  protected text(field: string): string {
    return this.hasColumn(field) ? this.#scanner.text(this.#at[field]!) : ''
  }

  protected required(field: string, kind?: string): string {
    const text = this.text(field)
    if (text !== '') return text
    throw new RowRefusal(field, kind ? `is missing; ${this.need(kind)} needs it` : 'is missing')
  }

  protected symbol(field: string, kind?: string): string {
    const symbol = readSymbol(this.required(field, kind))
    if (!symbol) throw new RowRefusal(field, 'is not a symbol')
    return symbol
  }

  /** ms. */
  protected stamp(field: string): number {
    this.required(field)
    const { bytes, starts, ends } = this.#scanner
    const at = this.#at[field]!
    const time = this.#stamps.read(bytes, starts[at]!, ends[at]!)
    if (this.#stamps.fault !== '') throw new RowRefusal(field, stampReason(this.#stamps.fault))
    return time
  }

  /** A number above zero. More than nine decimals would be another number. */
  protected amount(field: string, kind?: string): decimal.Decimal {
    const plain = plainDecimal(this.required(field, kind))
    if (plain === undefined) throw new RowRefusal(field, 'is not a number')
    if (/\.\d{9}\d*[1-9]/.test(plain)) throw new RowRefusal(field, 'has more than nine decimals')
    const value = decimal.parse(plain)
    if (value <= 0) throw new RowRefusal(field, 'is not above zero')
    return value
  }

  #checkShape(): void {
    if (this.#scanner.malformed) throw new RowRefusal('row', 'text after a closing quote')
    if (this.#scanner.hasWidth(this.header.length)) return
    const reason = `${this.#scanner.count} fields where the header has ${this.header.length}`
    throw new RowRefusal('row', reason)
  }
}
