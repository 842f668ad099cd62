/** Verdicts on manual signals: as they come, and those that were kept. */
import { type NatsConnection, consumerOpts } from 'nats'
import { CliError } from './exit-codes.ts'

/** What became of a signal; a refused input has no rule. */
export interface Verdict {
  signalId: string
  verdict: 'approved' | 'denied'
  orderIds: number[]
  code: string
  rule: string | null
  observed: string | null
  limit: string | null
}

const STREAM = 'VERDICTS'
const SCAN_LIMIT_MS = 3000

/** Listens on the operator's subject. Subscribe before publishing: the answer may come before the confirmation. */
export class VerdictListener {
  private readonly nc: NatsConnection
  private readonly subject: string
  private readonly signalId: string
  private readonly live: Promise<Verdict>
  private readonly stop: () => void

  constructor(nc: NatsConnection, operator: string, signalId: string) {
    this.nc = nc
    this.subject = `signals.verdict.${operator}`
    this.signalId = signalId
    const subscription = nc.subscribe(this.subject)
    this.stop = () => subscription.unsubscribe()
    this.live = new Promise((found) => {
      void (async () => {
        for await (const message of subscription) {
          const verdict = readVerdict(message.data, signalId)
          if (verdict !== null) found(verdict)
        }
      })()
    })
  }

  /** Resolves when the server knows the subscription. */
  ready(): Promise<void> {
    return this.nc.flush()
  }

  /** The verdict, or null after `waitMs`. `repeated`: the id may have been answered long ago. */
  async wait(waitMs: number, repeated: boolean): Promise<Verdict | null> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((done) => {
      timer = setTimeout(() => done(null), waitMs)
    })
    try {
      const earlier = repeated ? await Promise.race([this.live, this.kept(waitMs)]) : null
      if (earlier !== null) return earlier
      const verdict = await Promise.race([this.live, late])
      // A reconnection can swallow what was not stored for us; the stream has it.
      return verdict ?? (await this.kept(SCAN_LIMIT_MS))
    } finally {
      clearTimeout(timer)
      this.stop()
    }
  }

  /** Looks through the verdicts that the server has kept, newest last; null when none is this signal's. */
  private async kept(limitMs: number): Promise<Verdict | null> {
    const jsm = await this.nc.jetstreamManager({ timeout: SCAN_LIMIT_MS })
    const held = await jsm.streams.info(STREAM, { subjects_filter: this.subject }).catch(() => null)
    const count = held?.state.subjects?.[this.subject] ?? 0
    if (count === 0) return null
    const options = consumerOpts()
    options.orderedConsumer()
    options.deliverAll()
    options.bindStream(STREAM)
    const subscription = await this.nc.jetstream().subscribe(this.subject, options)
    const timer = setTimeout(() => subscription.unsubscribe(), Math.min(limitMs, SCAN_LIMIT_MS))
    try {
      for await (const message of subscription) {
        const verdict = readVerdict(message.data, this.signalId)
        if (verdict !== null) return verdict
        if (message.info.pending === 0) return null
      }
      return null
    } finally {
      clearTimeout(timer)
      subscription.unsubscribe()
    }
  }
}

/** A verdict on this signal; null for others and for what is none. */
export function readVerdict(payload: Uint8Array, signalId: string): Verdict | null {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(payload))
  } catch {
    return null
  }
  const verdict = value as Partial<Verdict> | null
  if (typeof verdict !== 'object' || verdict === null || verdict.signalId !== signalId) return null
  if (verdict.verdict !== 'approved' && verdict.verdict !== 'denied') return null
  return {
    signalId,
    verdict: verdict.verdict,
    orderIds: verdict.orderIds ?? [],
    code: verdict.code ?? verdict.verdict,
    rule: verdict.rule ?? null,
    observed: verdict.observed ?? null,
    limit: verdict.limit ?? null,
  }
}

/** One line for people. */
export function verdictText(verdict: Verdict): string {
  if (verdict.verdict === 'approved') {
    const { orderIds } = verdict
    const orders = orderIds.length === 0 ? 'no order' : `order ${orderIds.join(', ')}`
    return `approved: ${orders} (signal ${verdict.signalId})`
  }
  const seen = verdict.observed === null ? '' : `, observed ${verdict.observed}`
  const limit = verdict.limit === null ? '' : `, limit ${verdict.limit}`
  const rule = verdict.rule === null || verdict.rule === verdict.code ? '' : ` (${verdict.rule})`
  return `denied: ${verdict.code}${rule}${seen}${limit} (signal ${verdict.signalId})`
}

/** The message is safe, only the answer is missing. */
export function noVerdict(
  signalId: string,
  waitMs: number,
  stored: { stream: string; sequence: number },
): CliError {
  return new CliError(
    'no_verdict',
    `no verdict within ${waitMs / 1000} s: signal ${signalId} is stored (${stored.stream} ${stored.sequence}) and is answered when the engine gets to it, or denied as stale; ask again with --id ${signalId}`,
    { signalId, ...stored },
  )
}
