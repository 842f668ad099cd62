import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import {
  type BrokerOrder,
  type BrokerReport,
  OutcomeUnknown,
} from '../../../engine/ports/broker.ts'
import type { ExchangeSettings, MarketBar } from '../../../schemas/types.gen.ts'
import type { EngineBroker } from '../engine-options.ts'
import type { BrokerAnswer, BrokerRequest } from './shared-broker.ts'

type Ask = BrokerRequest extends infer R
  ? R extends unknown
    ? Omit<R, 'id' | 'made'>
    : never
  : never

/** How an engine reaches the broker of shared-broker.ts. */
export class SharedBrokerClient implements EngineBroker {
  /** A request on the wire is answered or lost within this time on a loopback. */
  readonly settleMs = 100
  readonly #socket: Socket
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void }
  >()
  readonly #listeners = new Map<number, (report: BrokerReport) => void>()
  #asked = 0
  #last = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const lines = createInterface({ input: socket })
    lines.on('error', () => undefined)
    lines.on('line', (line) => this.#take(JSON.parse(line) as BrokerAnswer))
    const lost = (): void => {
      for (const { reject } of this.#waiting.values()) reject(new OutcomeUnknown('connection lost'))
      this.#waiting.clear()
    }
    socket.on('error', lost)
    socket.on('close', lost)
  }

  static async open(
    port: number,
    caller: string,
    book: { bookId: string; settings: ExchangeSettings },
  ): Promise<SharedBrokerClient> {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const client = new SharedBrokerClient(socket)
    await client.#ask({ do: 'open', caller, ...book })
    return client
  }

  async submit(order: BrokerOrder): Promise<void> {
    await this.#ask({ do: 'submit', order })
  }

  async cancel(clientOrderId: string): Promise<void> {
    await this.#ask({ do: 'cancel', clientOrderId })
  }

  async knows(clientOrderId: string): Promise<boolean> {
    return (await this.#ask({ do: 'knows', clientOrderId })) === true
  }

  async onBar(bar: MarketBar): Promise<number> {
    return Number(await this.#ask({ do: 'bar', bar }))
  }

  reports(after: number, handler: (report: BrokerReport) => void): () => void {
    const listener = this.#asked + 1
    this.#listeners.set(listener, handler)
    this.#ask({ do: 'reports', after }).catch(() => undefined)
    return () => this.#listeners.delete(listener)
  }

  lastSequence(): number {
    return this.#last
  }

  /** Shares held, by symbol. */
  async positions(): Promise<Map<string, string>> {
    return new Map((await this.#ask({ do: 'account' })) as [string, string][])
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(ask: Ask): Promise<unknown> {
    if (this.#socket.destroyed) return Promise.reject(new OutcomeUnknown('connection lost'))
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#socket.write(`${JSON.stringify({ id, made: Date.now(), ...ask })}\n`)
    })
  }

  #take(answer: BrokerAnswer): void {
    if ('listener' in answer) {
      this.#last = Math.max(this.#last, answer.report.sequence)
      this.#listeners.get(answer.listener)?.(answer.report)
      return
    }
    this.#last = Math.max(this.#last, answer.last)
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new OutcomeUnknown(answer.error))
    else waiting?.resolve(answer.value)
  }
}
