import { add, toNumber } from '../decimal.ts'
import { type Condition, InvalidParams, type Strategy, whether } from './strategy.ts'

/**
 * Trades the crossing of two simple moving averages of the close: up when fast was strictly below slow
 * on the previous bar and is strictly above now, down for the reverse. Long-only buys on up and closes on
 * down; reverse is always in the market after the first crossing.
 */
export const smaCross: Strategy = {
  name: 'sma_cross',
  params: {
    fast: { kind: 'integer', default: 10, min: 1, max: 10_000, help: 'Bars of the fast average' },
    slow: { kind: 'integer', default: 30, min: 2, max: 10_000, help: 'Bars of the slow average' },
    mode: {
      kind: 'choice',
      default: 'long-only',
      choices: ['long-only', 'reverse'],
      help: 'Whether a down-cross only closes, or also sells short',
    },
    size: { kind: 'size', default: '100', help: 'Shares per trade, or all' },
  },
  check(params) {
    if (params.fast! >= params.slow!) {
      throw new InvalidParams(
        `fast (${params.fast}) must be below slow (${params.slow}): an average cannot cross a faster one of itself`,
      )
    }
  },
  features: (params) => [
    { kind: 'sma', period: params.fast as number },
    { kind: 'sma', period: params.slow as number },
  ],
  onBar(context, params) {
    const fast = context.feature(0)
    const slow = context.feature(1)
    const fastBefore = context.previous(0)
    const slowBefore = context.previous(1)
    const up = fastBefore < slowBefore && fast > slow
    const down = fastBefore > slowBefore && fast < slow
    if (!up && !down) return
    const exposure = add(context.position, context.working)
    const size = params.size as string
    const reason = up ? 'fast average crossed above slow' : 'fast average crossed below slow'
    if (params.mode === 'reverse') {
      if (up ? exposure < 0 : exposure > 0) context.signal({ side: 'close', reason })
      if (up ? exposure <= 0 : exposure >= 0) {
        context.signal({ side: up ? 'buy' : 'sell', qty: size, reason })
      }
    } else if (up && exposure <= 0) context.signal({ side: 'buy', qty: size, reason })
    else if (down && exposure > 0) context.signal({ side: 'close', reason })
  },
  conditions(context, params) {
    const fast = context.feature(0)
    const slow = context.feature(1)
    const before = context.previous(0) - context.previous(1)
    const now = fast - slow
    const exposure = add(context.position, context.working)
    const names = `sma_${params.fast} − sma_${params.slow}`
    // The strategy compares the averages, not their difference: both are the same for all finite numbers.
    const cross = (up: boolean): Condition[] => [
      whether(
        `${names} at the bar before`,
        before,
        up ? 'below 0' : 'above 0',
        up ? context.previous(0) < context.previous(1) : context.previous(0) > context.previous(1),
      ),
      whether(`${names} now`, now, up ? 'above 0' : 'below 0', up ? fast > slow : fast < slow),
    ]
    const held = (wanted: string, met: boolean): Condition =>
      whether('shares held and on order', toNumber(exposure), wanted, met)
    if (params.mode === 'long-only') {
      return [
        { side: 'buy', conditions: [...cross(true), held('0 or less', exposure <= 0)] },
        { side: 'close', conditions: [...cross(false), held('above 0', exposure > 0)] },
      ]
    }
    return [
      { side: 'close', conditions: [...cross(true), held('below 0', exposure < 0)] },
      { side: 'buy', conditions: [...cross(true), held('0 or less', exposure <= 0)] },
      { side: 'close', conditions: [...cross(false), held('above 0', exposure > 0)] },
      { side: 'sell', conditions: [...cross(false), held('0 or more', exposure >= 0)] },
    ]
  },
}
