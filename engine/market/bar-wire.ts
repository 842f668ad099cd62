import type { MarketBar } from '../../schemas/types.gen.ts'
import { format, fromNumber } from '../decimal.ts'
import { formatTime, parseTime } from '../time.ts'
import { type Bar, TIMEFRAME_MS, type Timeframe } from './bar.ts'

/** A recorded bar as the chain sees it. The symbol's number is filled in by the market processor. */
export function barFromWire(data: MarketBar): Bar {
  const time = parseTime(data.time)
  return {
    symbol: data.symbol,
    symbolIndex: 0,
    time,
    end: time + TIMEFRAME_MS[data.timeframe as Timeframe],
    open: Number(data.open),
    high: Number(data.high),
    low: Number(data.low),
    close: Number(data.close),
    volume: data.volume === null ? Number.NaN : Number(data.volume),
  }
}

/** A bar as it is published and recorded: decimals as strings. */
export function barToWire(
  bar: Omit<Bar, 'symbolIndex' | 'end'>,
  feed: string,
  timeframe: Timeframe,
  revision = 0,
): MarketBar {
  return {
    feed,
    symbol: bar.symbol,
    timeframe,
    time: formatTime(bar.time),
    open: format(fromNumber(bar.open)),
    high: format(fromNumber(bar.high)),
    low: format(fromNumber(bar.low)),
    close: format(fromNumber(bar.close)),
    volume: Number.isNaN(bar.volume) ? null : format(fromNumber(bar.volume)),
    revision,
  }
}
