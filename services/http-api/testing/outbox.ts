import * as assert from 'uvu/assert'
import type { ManualSignal } from '../../../schemas/types.gen.ts'
import type { Commands, Stored } from '../commands.ts'
import type { HttpApi, HttpApiOptions } from '../http-api.ts'
import { type Answer, type FakeProjector, flaws, get, withApi } from './fake-projector.ts'

/** Takes what is sent as an engine would: it stands in the book some time later. */
export class Outbox implements Commands {
  readonly sent: { subject: string; id: string; body: object }[] = []
  failure: Error | null = null
  /** What it finds wrong with a signal. */
  faults: string[] = []
  /** Resolves before a message counts as stored. */
  gate: Promise<void> = Promise.resolve()
  take: (subject: string, id: string, body: object) => void | Promise<void> = () => undefined

  signalFaults(): string[] {
    return this.faults
  }

  controlFaults(action: string, body: object): string[] {
    const ofOrder = action === 'cancel-order' || action === 'replace-order'
    return ofOrder === 'orderId' in body ? [] : ['/orderId is not right']
  }

  async signal(operator: string, id: string, body: object): Promise<Stored> {
    return this.#send(`signals.manual.${operator}`, id, body)
  }

  async control(action: string, id: string, body: object): Promise<Stored> {
    return this.#send(`control.${action}`, id, body)
  }

  async #send(subject: string, id: string, body: object): Promise<Stored> {
    await this.gate
    if (this.failure !== null) throw this.failure
    this.sent.push({ subject, id, body })
    const { take } = this
    setTimeout(() => void take(subject, id, body), 20)
    return { stream: 'INBOX', sequence: this.sent.length }
  }
}

export async function withOutbox(
  run: (api: HttpApi, projector: FakeProjector, outbox: Outbox) => Promise<void>,
  change: Partial<HttpApiOptions> = {},
): Promise<void> {
  const outbox = new Outbox()
  await withApi(
    async (api, projector) => {
      projector.book.created().started()
      await projector.write()
      outbox.take = async (subject, id, body) => {
        const { book } = projector
        const storedAt = new Date().toISOString()
        if (subject.startsWith('control.')) {
          const action = subject.slice('control.'.length) as 'halt'
          const command = body as { actor: string; reason: string; orderId?: number }
          book.add('control.received', { ...command, action, controlId: id, storedAt })
          if (action.endsWith('-order')) {
            const { actor } = command
            book.denied(`operator:${actor}`, id)
          }
        } else {
          const operator = subject.slice('signals.manual.'.length)
          const { type = 'market', validFor: _, ...asked } = body as ManualSignal
          const exits = asked.takeProfit ?? asked.stopLoss ?? asked.trailPercent
          const timeInForce = exits === undefined ? ('day' as const) : ('gtc' as const)
          const terms = { orderType: type, timeInForce, storedAt }
          book.signal(operator, id, { ...terms, ...asked }).denied(`operator:${operator}`, id)
        }
        await projector.write()
      }
      await run(api, projector, outbox)
    },
    { commands: outbox, ...change },
  )
}

export const SIGNAL = { symbol: 'AAPL', side: 'buy', qty: '10' }

export function post(
  url: string,
  body: unknown = SIGNAL,
  headers: Record<string, string> = { 'idempotency-key': 'k-1' },
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return get(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

export function problem(answer: Answer, status: number, kind: string): void {
  assert.equal([answer.status, answer.body.type], [status, `/problems/${kind}`], answer.text)
  assert.is(flaws('problem-body', answer.body), '')
}
