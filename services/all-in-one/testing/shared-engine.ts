// An engine that trades through the broker of shared-broker.ts: `node … shared-engine.ts '<SharedEngineOptions>'`.
// Says over its channel `{waiting}`, `{ready}` and, when it ends by itself, `{error, message}`.
import { fileURLToPath } from 'node:url'
import type { ChainSettings } from '../../../schemas/types.gen.ts'
import { codeOf, exitCodeOf } from '../../cli/exit-codes.ts'
import { allocateBars, type BarColumns } from '../../market-data/bar-columns.ts'
import { createLog } from '../../runtime/log.ts'
import { type Engine, startEngine } from '../engine.ts'
import { SharedBrokerClient } from './shared-broker-client.ts'

export interface SharedEngineOptions {
  /** Name by which the broker's log calls it. */
  name: string
  dir: string
  natsUrl: string
  eventStoreUrl: string
  brokerPort: number
  standby: boolean
  ttlMs: number
  speed: number | 'max'
  /** How many bars the market has. */
  bars: number
}

export const SYMBOL = 'WALK'
const MINUTE_MS = 60_000
const FIRST_MS = Date.UTC(2024, 0, 1)

const SETTINGS: ChainSettings = {
  feed: 'historical',
  timeframe: '1m',
  symbols: [SYMBOL],
  strategies: [{ name: 'sma_cross', params: { fast: 2, slow: 5, mode: 'reverse', size: '200' } }],
  risk: null,
  exchange: {
    ...{ cash: '10000000', fill: 'next-open', limitFill: 'through', participation: 0.1 },
    ...{ slippageBps: 1, commission: '0.001', feePerShare: '0', feeMin: '0' },
  },
} as ChainSettings

/** A random walk, the same for everybody: orders of 200 meet bars of 1,500 shares, of which a tenth may be taken. */
function walk(length: number): BarColumns {
  const columns = allocateBars(length)
  let seed = 20_240_101
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  const cents = (price: number): number => Math.round(price * 100) / 100
  let close = 100
  for (let i = 0; i < length; i++) {
    const open = close
    close = cents(Math.max(20, Math.min(500, open * (1 + (random() - 0.5) * 0.01))))
    columns.time[i] = FIRST_MS + i * MINUTE_MS
    columns.open[i] = open
    columns.close[i] = close
    columns.high[i] = cents(Math.max(open, close) + random() * 0.2)
    columns.low[i] = cents(Math.min(open, close) - random() * 0.2)
    columns.volume[i] = 1500
  }
  return columns
}

async function run(options: SharedEngineOptions): Promise<void> {
  const asked = new AbortController()
  process.on('SIGTERM', () => asked.abort())
  const said = createLog({
    level: 'info',
    name: options.name,
    destination: {
      write(line: string) {
        if (line.includes('standby: account')) process.send?.({ waiting: true })
        if (!line.includes('"level":"info"')) process.stderr.write(line)
      },
    },
  })
  let engine: Engine | null = null
  try {
    engine = await startEngine({
      ...{ dir: options.dir, account: 'main', version: '0.0.0-test', settings: SETTINGS },
      bars: { columns: walk(options.bars), symbols: [SYMBOL], timeframe: '1m' },
      ...{ feed: 'walk', speed: options.speed, host: '127.0.0.1', port: 0 },
      ...{ natsUrl: options.natsUrl, natsBinary: 'nats-server' },
      ...{ eventStoreUrl: options.eventStoreUrl, log: said },
      ...{ standby: options.standby, leaseTtlMs: options.ttlMs, signal: asked.signal },
      signals: { requireSignature: false, checkSignature: () => null },
      backoff: { baseMs: 50, maxMs: 500, jitter: 0.1 },
      openBroker: ({ bookId, settings }) =>
        SharedBrokerClient.open(options.brokerPort, options.name, {
          bookId,
          settings: settings.exchange,
        }),
    } as Parameters<typeof startEngine>[0])
    process.send?.({ ready: true, url: engine.url })
    const stopped = new Promise<void>((resolve) => {
      asked.signal.addEventListener('abort', () => resolve())
      if (asked.signal.aborted) resolve()
    })
    await Promise.race([stopped, engine.done])
    await engine.close()
    process.exit(0)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    await engine?.close()
    const end = (): never => process.exit(exitCodeOf(error))
    if (process.send === undefined) end()
    else process.send({ error: codeOf(error), message }, end)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('disconnect', () => process.exit(1))
  await run(JSON.parse(process.argv[2] ?? '{}') as SharedEngineOptions)
}
