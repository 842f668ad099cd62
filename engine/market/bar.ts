/** A bar as the chain sees it: numbers, ready for indicators. The wire form is schemas/market/market-bar.v1.json. */
export interface Bar {
  symbol: string
  /** Number of the symbol in the chain, from 0, in order of first appearance. */
  symbolIndex: number
  /** Start of the bar, ms since the epoch UTC. A daily bar starts at 00:00 UTC of its date. */
  time: number
  /** End of the bar = time + timeframe, when it becomes known, ms. */
  end: number
  open: number
  high: number
  low: number
  close: number
  /** NaN when the source has no volume. */
  volume: number
}

export type Timeframe = '1m' | '5m' | '15m' | '1h' | '1d'

export const TIMEFRAME_MS: Readonly<Record<Timeframe, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '1d': 86_400_000,
}
