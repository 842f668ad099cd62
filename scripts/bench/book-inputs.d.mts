export const BOOK_ID: string
export const ACCOUNT: string
export const FEED: string
export const SYMBOLS: readonly string[]
export const START: number
export const STRATEGY: Readonly<Record<string, number | string>>
export const RISK: Readonly<Record<string, string>>
export const SETTINGS: object

interface Bar {
  feed: string
  symbol: string
  timeframe: string
  time: string
  open: string
  high: string
  low: string
  close: string
  volume: string
  revision: number
}

/** Bar n of all: the symbols take turns. */
export function bar(n: number): Bar
