import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Atr } from '../../../engine/features/atr.ts'
import { Ema } from '../../../engine/features/ema.ts'
import type { Indicator } from '../../../engine/features/indicator.ts'
import { Rsi } from '../../../engine/features/rsi.ts'
import { Sma } from '../../../engine/features/sma.ts'

interface Tulind {
  indicators: Record<
    string,
    {
      indicator(
        inputs: number[][],
        options: number[],
        done: (error: Error | null, outputs: number[][]) => void,
      ): void
    }
  >
}

/** The library is an optional dependency without types: its name must not be resolved at compile time. */
async function load(): Promise<Tulind | string> {
  const name: string = 'tulind'
  try {
    const module: { default: Tulind } = await import(name)
    return module.default
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'no reason') : String(error)
  }
}

const BARS = 20_000
const opens: number[] = []
const highs: number[] = []
const lows: number[] = []
const closes: number[] = []
let seed = 1
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 4_294_967_296
}
let price = 100
for (let i = 0; i < BARS; i++) {
  const open = price * (1 + (random() - 0.5) / 100)
  price = Math.max(1, open * (1 + (random() - 0.5) / 20))
  opens.push(open)
  closes.push(price)
  highs.push(Math.max(open, price) * (1 + random() / 100))
  lows.push(Math.min(open, price) * (1 - random() / 100))
}

function ours(indicator: Indicator): number[] {
  return closes.map((close, i) => indicator.next(opens[i]!, highs[i]!, lows[i]!, close, 0))
}

const tulind = await load()
if (typeof tulind === 'string') test.skip(`needs tulind: ${tulind}`, () => {})
else {
  const theirs = (name: string, inputs: number[][], period: number): number[] => {
    let answer: number[] | undefined
    tulind.indicators[name]!.indicator(inputs, [period], (error, outputs) => {
      if (error) throw error
      answer = outputs[0]
    })
    assert.ok(answer, 'the callback is synchronous')
    return answer!
  }

  for (const period of [1, 2, 14, 200]) {
    test(`sma_${period}: within 1e-12, the library's running sum being the one that drifts`, () => {
      const mine = ours(new Sma(period)).slice(period - 1)
      const other = theirs('sma', [closes], period)
      assert.is(mine.length, other.length)
      for (const [i, value] of mine.entries()) {
        assert.ok(Math.abs(value - other[i]!) <= 1e-12 * value, `bar ${i}: ${value}, ${other[i]}`)
      }
    })

    test(`ema_${period}: identical bits from our seed; the library seeds with the first close`, () => {
      const mine = ours(new Ema(period)).slice(period - 1)
      const other = theirs('ema', [[mine[0]!, ...closes.slice(period)]], period)
      assert.equal(mine, other)
    })

    test(`rsi_${period}: identical bits`, () => {
      const mine = ours(new Rsi(period)).slice(period)
      assert.equal(mine, theirs('rsi', [closes], period))
    })

    test(`atr_${period}: identical bits; the library gives the first bar a range, so it is given ours`, () => {
      const mine = ours(new Atr(period)).slice(period)
      const high = highs.slice(1)
      const low = lows.slice(1)
      high[0] = Math.max(high[0]!, closes[0]!)
      low[0] = Math.min(low[0]!, closes[0]!)
      assert.equal(mine, theirs('atr', [high, low, closes.slice(1)], period))
    })
  }
}

test.run()
