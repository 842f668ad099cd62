/** A simulated broker in a process of its own, which several engines reach, and which notes who called and when. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { format } from '../../../engine/decimal.ts'
import type { BrokerOrder, BrokerReport } from '../../../engine/ports/broker.ts'
import type { ExchangeSettings, MarketBar } from '../../../schemas/types.gen.ts'
import { openSimBroker, type SimBroker } from '../../simulator/sim-broker.ts'

/** One line of the broker's log: a call of an engine that can change something at the broker. */
export interface BrokerCall {
  caller: string
  do: 'submit' | 'cancel' | 'bar'
  /** Client order id, or the bar's time. */
  what: string
  /** When the caller made the call, by its wall clock, and when it arrived, ms. */
  made: number
  arrived: number
  /** Whether the broker knew the order or the bar already. */
  repeat: boolean
}

export type BrokerRequest = { id: number; made: number } & (
  | { do: 'open'; caller: string; bookId: string; settings: ExchangeSettings }
  | { do: 'submit'; order: BrokerOrder }
  | { do: 'cancel'; clientOrderId: string }
  | { do: 'knows'; clientOrderId: string }
  | { do: 'bar'; bar: MarketBar }
  | { do: 'reports'; after: number }
  | { do: 'account' }
)

export type BrokerAnswer =
  | { id: number; value: unknown; last: number }
  | { id: number; error: string; last: number }
  /** A report, for the listener that the request with this id began. */
  | { listener: number; report: BrokerReport }

class SharedBroker {
  readonly #dir: string
  readonly #log: string
  #broker: SimBroker | null = null
  /** Time of the newest bar. */
  #newest = ''

  constructor(dir: string, log: string) {
    this.#dir = dir
    this.#log = log
  }

  serve(socket: Socket): void {
    let caller = ''
    const stops: (() => void)[] = []
    const say = (answer: BrokerAnswer): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`)
    }
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const stop of stops) stop()
    })
    const lines = createInterface({ input: socket })
    // The interface repeats the socket's errors: an engine that was killed is nothing to stop for.
    lines.on('error', () => undefined)
    lines.on('line', (line) => {
      const request = JSON.parse(line) as BrokerRequest
      const last = (): number => this.#broker?.lastSequence() ?? 0
      if (request.do === 'open') caller = request.caller
      this.#answer(request, caller, say, stops).then(
        (value) => say({ id: request.id, value, last: last() }),
        (error: unknown) => say({ id: request.id, error: String(error), last: last() }),
      )
    })
  }

  async #answer(
    request: BrokerRequest,
    caller: string,
    say: (answer: BrokerAnswer) => void,
    stops: (() => void)[],
  ): Promise<unknown> {
    if (request.do === 'open') {
      const { bookId, settings } = request
      this.#broker ??= openSimBroker({ dir: this.#dir, settings, bookId })
      return null
    }
    const broker = this.#broker
    if (broker === null) throw new Error('nobody has opened the account yet')
    const note = (call: Pick<BrokerCall, 'do' | 'what' | 'repeat'>): void => {
      const { made } = request
      const line: BrokerCall = { caller, ...call, made, arrived: Date.now() }
      appendFileSync(this.#log, `${JSON.stringify(line)}\n`)
    }
    switch (request.do) {
      case 'submit': {
        const { clientOrderId: what } = request.order
        note({ do: 'submit', what, repeat: await broker.knows(what) })
        return broker.submit(request.order)
      }
      case 'cancel':
        note({ do: 'cancel', what: request.clientOrderId, repeat: false })
        return broker.cancel(request.clientOrderId)
      case 'knows':
        return broker.knows(request.clientOrderId)
      case 'bar': {
        const { time } = request.bar
        note({ do: 'bar', what: time, repeat: time <= this.#newest })
        if (time > this.#newest) this.#newest = time
        return broker.onBar(request.bar)
      }
      case 'reports':
        stops.push(broker.reports(request.after, (report) => say({ listener: request.id, report })))
        return null
      case 'account':
        return [...broker.account.symbols()].map((symbol) => [
          symbol,
          format(broker.account.position(symbol)),
        ])
    }
  }
}

export interface SharedBrokerProcess {
  readonly child: ChildProcess
  readonly port: number
  calls(): BrokerCall[]
}

const PATIENCE_MS = 20_000

/** Starts it on a folder; it ends with this process. */
export async function spawnSharedBroker(dir: string, log: string): Promise<SharedBrokerProcess> {
  const self = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, ['--import', 'tsx', self, dir, log], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the broker did not start')), PATIENCE_MS)
    child.once('message', (message) => resolve((message as { port: number }).port))
    child.once('exit', () => reject(new Error('the broker ended while it started')))
    child.once('message', () => clearTimeout(late))
  })
  appendFileSync(log, '')
  const calls = (): BrokerCall[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as BrokerCall)
  return { child, port, calls }
}

// Run as a program: folder and log in the arguments, until the parent is gone.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , dir = '', log = ''] = process.argv
  const broker = new SharedBroker(dir, log)
  const server = createServer((socket) => broker.serve(socket))
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
  })
  process.on('disconnect', () => process.exit(0))
}
