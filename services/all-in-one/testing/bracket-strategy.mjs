// Loaded before the program: adds a strategy that enters with exits, to the registry that the program will use.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isFresh } from '../../../scripts/freshness.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const built = join(root, 'dist/engine/strategies/registry.js')
const fresh = isFresh(root) && existsSync(built)
if (!fresh) (await import('tsx/esm/api')).register()
const path = fresh ? built : join(root, 'engine/strategies/registry.ts')
const { STRATEGIES } = await import(pathToFileURL(path).href)

const cents = (value) => value.toFixed(2)

/** Buys or sells short on every fifth bar while flat, with a bracket, a trailing exit or one exit, in turns. */
STRATEGIES.push({
  name: 'brackets',
  params: {
    gap: { kind: 'integer', default: 5, min: 1, max: 100, help: 'bars between looks' },
  },
  features: () => [{ kind: 'sma', period: 3 }],
  onBar(context, params) {
    const { bar } = context
    const day = Math.floor(bar.time / 86_400_000)
    if (day % params.gap !== 0 || context.working !== 0) return
    if (context.position !== 0) {
      if (day % 3 === 0) context.signal({ side: 'close', reason: 'out' })
      return
    }
    const buys = bar.close >= context.feature(0)
    const away = (part) => cents(bar.close * (1 + (buys ? part : -part)))
    const exits = [
      { takeProfit: away(0.02), stopLoss: away(-0.02) },
      { takeProfit: away(0.03), trailPercent: '2' },
      { trailPercent: '1.5' },
      { stopLoss: away(-0.01) },
    ][day % 4]
    context.signal({ side: buys ? 'buy' : 'sell', qty: '20', reason: 'in', ...exits })
  },
  conditions: () => [],
})
