import { add } from '../decimal.ts'
import { InvalidParams, type Strategy } from './strategy.ts'

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
}
