import type { Mark } from '../../engine/events/envelope.ts'
import type { StreamMark } from '../../engine/ports/bus.ts'
import { parseTime } from '../../engine/time.ts'
import { isBrokerInput } from '../../engine/trading/transitions.ts'
import type {
  ControlReceived,
  EventType,
  InputRefused,
  MarketAction,
  MarketBar,
  SignalReceived,
} from '../../schemas/types.gen.ts'

const SIGNAL_MEMORY_MS = 7 * 86_400_000

/** 53-bit FNV-like hash of a text, as a number; for telling contents apart, not for security. */
export function contentHash(text: string): number {
  let low = 0x811c9dc5
  let high = 0x01000193
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ (code + i), 0x85ebca6b)
  }
  return (low >>> 0) * 0x200000 + ((high >>> 0) & 0x1fffff)
}

function barContent(bar: MarketBar): string {
  return `${bar.open}|${bar.high}|${bar.low}|${bar.close}|${bar.volume}`
}

/** Bars of one feed, symbol and timeframe: 16 bytes a bar, so that a whole history can be told from news. */
class Series {
  private times = new Float64Array(1024)
  private hashes = new Float64Array(1024)
  private length = 0
  /** Of the few times that were corrected: the newest revision, and every content there ever was. */
  private readonly corrected = new Map<number, { revision: number; contents: Set<number> }>()

  get lastTime(): number {
    return this.length === 0 ? Number.NaN : this.times[this.length - 1]!
  }

  /** null: seen before; otherwise the revision that this content would be. */
  revisionOf(time: number, hash: number): number | null {
    const index = this.find(time)
    if (index < 0) return 0
    if (this.hashes[index] === hash) return null
    const corrected = this.corrected.get(time)
    if (corrected === undefined) return 1
    return corrected.contents.has(hash) ? null : corrected.revision + 1
  }

  add(time: number, hash: number, revision: number): void {
    const index = this.find(time)
    if (index >= 0) {
      const corrected = this.corrected.get(time) ?? {
        revision,
        contents: new Set([this.hashes[index]!]),
      }
      corrected.revision = revision
      corrected.contents.add(hash)
      this.corrected.set(time, corrected)
      this.hashes[index] = hash
      return
    }
    if (this.length === this.times.length) {
      const times = new Float64Array(this.length * 2)
      times.set(this.times)
      this.times = times
      const hashes = new Float64Array(this.length * 2)
      hashes.set(this.hashes)
      this.hashes = hashes
    }
    const at = -index - 1
    if (at < this.length) {
      this.times.copyWithin(at + 1, at, this.length)
      this.hashes.copyWithin(at + 1, at, this.length)
    }
    this.times[at] = time
    this.hashes[at] = hash
    this.length++
    if (revision > 0) this.corrected.set(time, { revision, contents: new Set([hash]) })
  }

  /** Index of a time, or −(where it belongs) − 1. Bars come in order, so the end is looked at first. */
  private find(time: number): number {
    if (this.length === 0 || time > this.times[this.length - 1]!) return -this.length - 1
    let low = 0
    let high = this.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const value = this.times[middle]!
      if (value === time) return middle
      if (value < time) low = middle + 1
      else high = middle - 1
    }
    return -low - 1
  }
}

/** What the engine remembers of its inputs, so that a redelivery is recognised. Rebuilt from the book at start. */
export class Identities {
  private readonly series = new Map<string, Series>()
  private readonly signals = new Map<string, number>()
  private readonly others = new Set<string>()
  private readonly marks = new Map<string, StreamMark>()
  /** Newest report of the broker that is in a step. */
  brokerSequence = 0

  private seriesOf(bar: MarketBar): Series {
    const key = `${bar.feed}|${bar.symbol}|${bar.timeframe}`
    let series = this.series.get(key)
    if (series === undefined) {
      series = new Series()
      this.series.set(key, series)
    }
    return series
  }

  /** The revision under which a bar is new, or null when this content is in the book. */
  barRevision(bar: MarketBar): number | null {
    return this.seriesOf(bar).revisionOf(parseTime(bar.time), contentHash(barContent(bar)))
  }

  addBar(bar: MarketBar): void {
    this.seriesOf(bar).add(parseTime(bar.time), contentHash(barContent(bar)), bar.revision)
  }

  /** Start of the newest bar of a feed's symbol, ms; NaN before the first. */
  lastBar(feed: string, symbol: string, timeframe: string): number {
    return this.series.get(`${feed}|${symbol}|${timeframe}`)?.lastTime ?? Number.NaN
  }

  /** Whether the id was used within the seven days before `storedAt`. */
  hasSignal(operator: string, id: string, storedAt = Number.NEGATIVE_INFINITY): boolean {
    const before = this.signals.get(`${operator}\n${id}`)
    return before !== undefined && before >= storedAt - SIGNAL_MEMORY_MS
  }

  /** Remembers a signal for seven days after it was stored. */
  addSignal(operator: string, id: string, storedAt: number): void {
    const key = `${operator}\n${id}`
    this.signals.delete(key)
    this.signals.set(key, storedAt)
    for (const [key, time] of this.signals) {
      if (time >= storedAt - SIGNAL_MEMORY_MS) break
      this.signals.delete(key)
    }
  }

  /** Up to where a stream is in the book; null when nothing of it is. */
  markOf(stream: string): StreamMark | null {
    return this.marks.get(stream) ?? null
  }

  noteMark([stream, sequence, storedAt]: Mark): void {
    this.marks.set(stream, { stream, sequence, storedAt })
  }

  has(key: string): boolean {
    return this.others.has(key)
  }

  add(key: string): void {
    this.others.add(key)
  }

  /** Whether an input, in its recorded form, is in the book already. */
  knows(type: EventType, data: unknown): boolean {
    switch (type) {
      case 'market.bar':
        return this.barRevision(data as MarketBar) === null
      case 'signal.received': {
        const { operator, signalId, storedAt } = data as SignalReceived
        return this.hasSignal(operator, signalId, parseTime(storedAt))
      }
      case 'control.received': {
        const { action, controlId, storedAt } = data as ControlReceived
        return this.hasSignal(`control.${action}`, controlId, parseTime(storedAt))
      }
      case 'input.refused':
        return this.has(refusedKey(data as InputRefused))
      case 'market.action':
        return this.has(actionKey(data as MarketAction))
      default: {
        const report = data as ReportData
        return report.brokerSequence === undefined
          ? this.has(ownReportKey(type, report))
          : report.brokerSequence <= this.brokerSequence
      }
    }
  }

  /** Remembers an input that is in a step, in its recorded form. */
  remember(type: EventType, data: unknown): void {
    switch (type) {
      case 'market.bar':
        this.addBar(data as MarketBar)
        break
      case 'signal.received': {
        const { operator, signalId, storedAt } = data as SignalReceived
        this.addSignal(operator, signalId, parseTime(storedAt))
        break
      }
      case 'control.received': {
        const { action, controlId, storedAt } = data as ControlReceived
        this.addSignal(`control.${action}`, controlId, parseTime(storedAt))
        break
      }
      case 'input.refused':
        this.add(refusedKey(data as InputRefused))
        break
      case 'market.action':
        this.add(actionKey(data as MarketAction))
        break
      default: {
        if (!isBrokerInput(type)) break
        const report = data as ReportData
        if (report.brokerSequence === undefined) this.add(ownReportKey(type, report))
        else this.brokerSequence = report.brokerSequence
      }
    }
  }
}

/** A report; the executor's own have no sequence of a broker. */
interface ReportData {
  orderId: number
  brokerSequence?: number
  attempt?: number
}

function ownReportKey(type: EventType, report: ReportData): string {
  return `${type}:${report.orderId}:${report.attempt ?? 0}`
}

/** One action of a kind a day: told again, also with another value, it has taken effect already. */
function actionKey({ feed, symbol, kind, exDate }: MarketAction): string {
  return `action:${feed}:${symbol}:${kind}:${exDate}`
}

/** A stream made again counts from 1 again: the time tells its messages from the old ones. */
function refusedKey(data: InputRefused): string {
  return `refused:${data.stream}:${data.sequence}:${parseTime(data.storedAt)}`
}
