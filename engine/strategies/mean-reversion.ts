import { add, toNumber } from '../decimal.ts'
import { type ActionConditions, type Condition, type Strategy, whether } from './strategy.ts'

/**
 * Buys weakness and sells the recovery: enters long when the RSI is below `oversold` and the close lies more than
 * `band` average true ranges below its exponential average; leaves when the close is back at the average
 * or the RSI above `exit`. With mode long-short the mirror image is sold short.
 */
export const meanReversion: Strategy = {
  name: 'mean_reversion',
  params: {
    period: {
      kind: 'integer',
      default: 14,
      min: 2,
      max: 10_000,
      help: 'Bars of the RSI and the ATR',
    },
    average: { kind: 'integer', default: 20, min: 2, max: 10_000, help: 'Bars of the average' },
    band: { kind: 'number', default: 1, min: 0, max: 20, help: 'Distance to enter, in ATRs' },
    oversold: { kind: 'number', default: 30, min: 1, max: 50, help: 'RSI below which to buy' },
    exit: { kind: 'number', default: 50, min: 1, max: 99, help: 'RSI beyond which to leave' },
    mode: {
      kind: 'choice',
      default: 'long-only',
      choices: ['long-only', 'long-short'],
      help: 'Whether strength is sold short as well',
    },
    size: { kind: 'size', default: '100', help: 'Shares per trade, or all' },
  },
  features: (params) => [
    { kind: 'ema', period: params.average as number },
    { kind: 'rsi', period: params.period as number },
    { kind: 'atr', period: params.period as number },
  ],
  onBar(context, params) {
    const average = context.feature(0)
    const strength = context.feature(1)
    const range = context.feature(2)
    if (Number.isNaN(average) || Number.isNaN(strength) || Number.isNaN(range)) return
    const { close } = context.bar
    const exposure = add(context.position, context.working)
    const oversold = params.oversold as number
    const exit = params.exit as number
    const distance = (params.band as number) * range
    if (exposure > 0) {
      if (close >= average)
        context.signal({ side: 'close', reason: 'close is back at its average' })
      else if (strength > exit) context.signal({ side: 'close', reason: `RSI above ${exit}` })
    } else if (exposure < 0) {
      if (close <= average)
        context.signal({ side: 'close', reason: 'close is back at its average' })
      else if (strength < 100 - exit)
        context.signal({ side: 'close', reason: `RSI below ${100 - exit}` })
    } else if (strength < oversold && close < average - distance) {
      context.signal({
        side: 'buy',
        qty: params.size as string,
        reason: 'oversold below its average',
      })
    } else if (
      params.mode === 'long-short' &&
      strength > 100 - oversold &&
      close > average + distance
    ) {
      context.signal({
        side: 'sell',
        qty: params.size as string,
        reason: 'overbought above its average',
      })
    }
  },
  conditions(context, params) {
    const average = context.feature(0)
    const strength = context.feature(1)
    const range = context.feature(2)
    const warm = !Number.isNaN(average + strength + range)
    const { close } = context.bar
    const exposure = add(context.position, context.working)
    const oversold = params.oversold as number
    const exit = params.exit as number
    const distance = (params.band as number) * range
    const held = (wanted: string, met: boolean): Condition =>
      whether('shares held and on order', toNumber(exposure), wanted, met)
    const rsi = (wanted: string, met: boolean): Condition =>
      whether(`rsi_${params.period}`, strength, wanted, warm && met)
    const price = (wanted: string, limit: number, met: boolean): Condition =>
      whether('close', warm ? close : Number.NaN, `${wanted} ${limit}`, met)
    const low = average - distance
    const high = average + distance
    const actions: ActionConditions[] = [
      {
        side: 'close',
        conditions: [
          held('above 0', exposure > 0),
          price('at or above the average of', average, close >= average),
        ],
      },
      {
        side: 'close',
        conditions: [
          held('above 0', exposure > 0),
          price('below the average of', average, close < average),
          rsi(`above ${exit}`, strength > exit),
        ],
      },
      {
        side: 'close',
        conditions: [
          held('below 0', exposure < 0),
          price('at or below the average of', average, close <= average),
        ],
      },
      {
        side: 'close',
        conditions: [
          held('below 0', exposure < 0),
          price('above the average of', average, close > average),
          rsi(`below ${100 - exit}`, strength < 100 - exit),
        ],
      },
      {
        side: 'buy',
        conditions: [
          held('0', exposure === 0),
          rsi(`below ${oversold}`, strength < oversold),
          price('below average − band of', low, close < low),
        ],
      },
    ]
    if (params.mode === 'long-short') {
      actions.push({
        side: 'sell',
        conditions: [
          held('0', exposure === 0),
          rsi(`above ${100 - oversold}`, strength > 100 - oversold),
          price('above average + band of', high, close > high),
        ],
      })
    }
    return actions
  },
}
