/** Bars from the bytes of one CSV file: every row is checked here, once, so that nothing behind has to. */
import { BAR_COLUMNS, BarRows, priceFault, volumeFault } from './bar-rows.ts'
import type { BarFile, BarReadOptions } from './bar-rows.ts'
import { CsvRefusal, CsvScanner, readHeader } from './csv.ts'
import type { Fault } from './csv.ts'
import { readNumber, StampReader, stampReason } from './csv-values.ts'

export const UNKNOWN_VOLUME = new Set(['', 'nan', 'na', 'n/a', 'null', 'none'])

/** Reads all rows. Throws CsvRefusal for a file that cannot be bars at all. */
export function scanBars(
  path: string,
  bytes: Buffer,
  options: BarReadOptions,
): { rows: BarRows; finish: () => BarFile; header: string[] } {
  let scan = new BarScan(path, bytes, options, false)
  if (scan.bars.looksDaily()) scan = new BarScan(path, bytes, options, true)
  const { bars, header } = scan
  return { rows: bars, header, finish: () => bars.finish(header) }
}

/** One pass over a file's bytes; the constructor makes it. */
class BarScan {
  readonly header: string[]
  readonly bars: BarRows
  readonly #scanner: CsvScanner
  readonly #at: Record<string, number>
  readonly #stamps = new StampReader()

  constructor(path: string, bytes: Buffer, options: BarReadOptions, stampsAreDates: boolean) {
    this.#scanner = new CsvScanner(bytes)
    const { header, columns } = readHeader(this.#scanner, BAR_COLUMNS)
    this.header = header
    this.#at = columns
    const capacity = Math.ceil(bytes.length / 48) + 16
    this.bars = new BarRows(path, 'line', options, stampsAreDates, capacity)
    if (columns.symbol === -1) this.bars.nameFile()
    this.#read()
  }

  #read(): void {
    const scanner = this.#scanner
    const bars = this.bars
    while (scanner.next()) {
      bars.rows++
      const fault = this.#row()
      if (fault) bars.refuse({ line: scanner.line, ...fault })
    }
  }

  /** Appends the current row, or says what is wrong with it. */
  #row(): Omit<Fault, 'line'> | undefined {
    const scanner = this.#scanner
    const { bytes, starts, ends } = scanner
    const at = this.#at
    if (scanner.malformed) return rowFault('text after a closing quote', scanner)
    if (scanner.count !== this.header.length && !scanner.hasWidth(this.header.length)) {
      return rowFault(`${scanner.count} fields where the header has ${this.header.length}`, scanner)
    }
    const time = this.#time(at.timestamp!)
    if (typeof time !== 'number') return time
    const symbol = at.symbol === -1 ? 0 : this.bars.symbol(scanner.text(at.symbol!))
    if (symbol < 0) return this.#fault('symbol', at.symbol!, 'is not a symbol')

    const open = readNumber(bytes, starts[at.open!]!, ends[at.open!]!)
    const high = readNumber(bytes, starts[at.high!]!, ends[at.high!]!)
    const low = readNumber(bytes, starts[at.low!]!, ends[at.low!]!)
    const close = readNumber(bytes, starts[at.close!]!, ends[at.close!]!)
    const bad = priceFault(open, high, low, close)
    if (bad !== undefined) return this.#fault(bad.field, at[bad.field]!, bad.reason)

    let volume = Number.NaN
    if (at.volume! >= 0) {
      volume = readNumber(bytes, starts[at.volume!]!, ends[at.volume!]!)
      const none = volumeFault(volume)
      if (none !== undefined) {
        if (!UNKNOWN_VOLUME.has(scanner.text(at.volume!).toLowerCase())) {
          return this.#fault('volume', at.volume!, none)
        }
        volume = Number.NaN
      }
    }
    const { line } = scanner
    const disorder = this.bars.orderFault(time, this.#stamps.clock, symbol, line)
    if (disorder !== undefined) return this.#fault('timestamp', at.timestamp!, disorder)
    this.bars.add(time, symbol, open, high, low, close, volume, line)
    return undefined
  }

  #time(column: number): number | Omit<Fault, 'line'> {
    const { bytes, starts, ends, line } = this.#scanner
    const stamps = this.#stamps
    const bars = this.bars
    const time = stamps.read(bytes, starts[column]!, ends[column]!)
    if (stamps.fault !== '') {
      const text = this.#scanner.text(column)
      if (text === '') return this.#fault('timestamp', column, 'is missing')
      const reason = stampReason(stamps.fault)
      // The first stamp tells the file's format: were it another one, every row would be bad.
      if (bars.timed === undefined && stamps.fault !== 'calendar' && /\d/.test(text)) {
        throw new CsvRefusal({ line, field: 'timestamp', reason, text }, this.header)
      }
      return { field: 'timestamp', reason, text }
    }
    bars.timed ??= stamps.hasTime
    if (bars.timed !== stamps.hasTime) {
      const reason = bars.timed ? 'is a date among times' : 'is a time among dates'
      return this.#fault('timestamp', column, reason)
    }
    return bars.stampsAreDates ? stamps.day : time
  }

  #fault(field: string, column: number, reason: string): Omit<Fault, 'line'> {
    const text = this.#scanner.text(column)
    return { field, reason: text === '' ? 'is missing' : reason, text }
  }
}

function rowFault(reason: string, scanner: CsvScanner): Omit<Fault, 'line'> {
  return { field: 'row', reason, text: scanner.texts().join(',') }
}
