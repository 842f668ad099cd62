import type { MarketBar } from '../../schemas/types.gen.ts'
import { parseTime } from '../../engine/time.ts'

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
  private readonly revisions = new Map<number, number>()

  get lastTime(): number {
    return this.length === 0 ? Number.NaN : this.times[this.length - 1]!
  }

  /** null: seen before; otherwise the revision that this content would be. */
  revisionOf(time: number, hash: number): number | null {
    const index = this.find(time)
    if (index < 0) return 0
    return this.hashes[index] === hash ? null : (this.revisions.get(time) ?? 0) + 1
  }

  add(time: number, hash: number, revision: number): void {
    const index = this.find(time)
    if (index >= 0) {
      this.hashes[index] = hash
      this.revisions.set(time, revision)
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
    if (revision > 0) this.revisions.set(time, revision)
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

  hasSignal(operator: string, id: string): boolean {
    return this.signals.has(`${operator}\n${id}`)
  }

  /** Remembers a signal for seven days after it was stored. */
  addSignal(operator: string, id: string, storedAt: number): void {
    this.signals.set(`${operator}\n${id}`, storedAt)
    for (const [key, time] of this.signals) {
      if (time >= storedAt - SIGNAL_MEMORY_MS) break
      this.signals.delete(key)
    }
  }

  has(key: string): boolean {
    return this.others.has(key)
  }

  add(key: string): void {
    this.others.add(key)
  }
}
