import { decodeBody } from '../../engine/events/envelope.ts'
import type { Bus } from '../../engine/ports/bus.ts'
import type { EventStore } from '../../engine/ports/event-store.ts'
import type { InputRefused, RiskVerdict } from '../../schemas/types.gen.ts'
import { boundary } from '../runtime/boundary.ts'
import type { Log } from '../runtime/log.ts'

/** What an operator is told of a signal, on signals.verdict.<operator> and over HTTP. */
export interface Verdict {
  signalId: string
  verdict: 'approved' | 'denied'
  orderIds: number[]
  code: string
  rule: string | null
  observed: string | null
  limit: string | null
}

export interface VerdictsOptions {
  store: EventStore
  stream: string
  bus: Bus
  bookId: string
  /** Position of the newest verdict already published, −1 for none. */
  after: number
  log: Log
}

const RETRY_MS = 200
const KEPT_MS = 7 * 86_400_000

export interface Verdicts {
  /** Position up to which everybody was told. */
  position(): number
  /** Position of the newest verdict on the stream, as far as known here; −1 for none. */
  newest(): number
  /** The stream gave a sequence away again: it had lost messages before the newest was stored. */
  regressed(): boolean
  close(): Promise<void>
  /** Resolves when closed; rejects when the book cannot be read. */
  readonly done: Promise<void>
}

/** Tells operators what became of their signals, once it is in the book. At least once; each verdict has its id. */
export function startVerdicts(options: VerdictsOptions): Verdicts {
  let position = options.after
  let newest = options.after
  let sequence = 0
  let regressed = false
  let closed = false
  const subscription = options.store.subscribe(options.stream, options.after + 1, async (page) => {
    for (const stored of page) {
      if (stored.type === 'input.refused' || stored.type === 'risk.verdict') {
        const event = decodeBody(stored)
        const found = verdictOf(event)
        // Older ones would not be kept any longer anyway.
        if (found !== null && event.recordedAt > Date.now() - KEPT_MS)
          await publish(found.operator, found.verdict, stored.position)
      }
      position = stored.position
    }
  })

  async function publish(operator: string, verdict: Verdict, at: number): Promise<void> {
    boundary('effect.released')
    while (!closed) {
      try {
        const stored = await options.bus.publish(
          `signals.verdict.${operator}`,
          JSON.stringify(verdict),
          {
            id: `${options.bookId}-v${at}`,
            headers: { 'bitacora-position': String(at) },
          },
        )
        newest = at
        if (!stored.duplicate && stored.sequence <= sequence) regressed = true
        sequence = Math.max(sequence, stored.sequence)
        return
      } catch (error) {
        options.log.warn(
          { err: error, signalId: verdict.signalId },
          'a verdict could not be published; trying again',
        )
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  return {
    position: () => position,
    newest: () => newest,
    regressed: () => regressed,
    done: subscription.done,
    async close() {
      closed = true
      await subscription.close()
    },
  }
}

function verdictOf(event: {
  type: string
  data: unknown
}): { operator: string; verdict: Verdict } | null {
  if (event.type === 'input.refused') {
    const { operator, signalId, code, message } = event.data as InputRefused
    if (operator === undefined || signalId === undefined) return null
    return {
      operator,
      verdict: {
        signalId,
        verdict: 'denied',
        orderIds: [],
        code,
        rule: 'input',
        observed: message,
        limit: null,
      },
    }
  }
  const { source, signalId, verdict, orderIds, code, rule, observed, limit } =
    event.data as RiskVerdict
  const operator = /^operator:([A-Za-z0-9_-]{1,64})$/.exec(source)?.[1]
  // What a control led to is told by the control's own answer: nobody sent a signal.
  if (operator === undefined || code === 'flatten') return null
  return {
    operator,
    verdict: { signalId, verdict, orderIds, code, rule, observed, limit },
  }
}
