import type { ListedAction } from '../../engine/backtest/listed-actions.ts'
import type { Timeframe } from '../../engine/market/bar.ts'
import type { Broker } from '../../engine/ports/broker.ts'
import type { ChainSettings, MarketBar } from '../../schemas/types.gen.ts'
import type { Tokens } from '../http-api/access.ts'
import type { BarColumns } from '../market-data/bar-columns.ts'
import type { Log } from '../runtime/log.ts'
import type { WriterOptions } from '../writer/writer.ts'
import type { Sign } from './bus-commands.ts'

/** What startEngine needs to know. */
export interface EngineOptions {
  dir: string
  account: string
  version: string
  settings: ChainSettings
  bars: { columns: BarColumns; symbols: readonly string[]; timeframe: Timeframe }
  /** Corporate actions that belong to the bars. */
  actions?: readonly ListedAction[]
  feed: string
  speed: number | 'max'
  host: string
  port: number
  natsUrl?: string
  /** Wait until no other engine trades the account, however long, instead of refusing to start. */
  standby?: boolean
  /** Ends that wait; startEngine then throws WaitEnded. */
  signal?: AbortSignal
  /** The lease runs out unless renewed for so long, ms; default 5,000. */
  leaseTtlMs?: number
  /** Opens another broker in the place of the simulated one in the folder. */
  openBroker?: (book: { bookId: string; settings: ChainSettings }) => Promise<EngineBroker>
  /** EventStoreDB that holds the book; null: the embedded store in the folder. */
  eventStoreUrl: string | null
  /** Program to run as the engine's own NATS server. */
  natsBinary: string
  /** Base address of the OTLP/HTTP collector that receives traces; null or left out: none are made. */
  otlpEndpoint?: string | null
  /** Who may use the HTTP API; null or left out: everybody on this machine. */
  tokens?: Tokens | null
  /** Signs what the HTTP API publishes for an operator who has a key. */
  sign?: Sign
  signals: Omit<WriterOptions['rules'], 'now' | 'run'>
  backoff: { baseMs: number; maxMs: number; jitter: number }
  log: Log
}

/** A broker, and the market it stands in. */
export interface EngineBroker extends Broker {
  /** Shows it a bar; answers the sequence of its newest report. */
  onBar(bar: MarketBar): number | Promise<number>
  /** How long a request that was lost from sight may still arrive, ms. */
  readonly settleMs?: number
  close(): void | Promise<void>
}
