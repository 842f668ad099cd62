export const SYMBOLS: readonly string[]
/** Symbols whose price never moves. */
export const STILL: readonly string[]
export const RISK: Readonly<Record<string, string>>

interface Bar {
  symbol: string
  time: string
  open: string
  high: string
  low: string
  close: string
  volume: string
}

/** Bar n from a minute on; the symbols take turns. */
export function bar(n: number, from?: number): Bar

/** So many bars as a file, from a minute on. */
export function barsCsv(count: number, from?: number): string
