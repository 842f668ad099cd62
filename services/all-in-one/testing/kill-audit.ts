import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { decodeBody, type RecordedEvent } from '../../../engine/events/envelope.ts'
import { clientOrderId } from '../../../engine/events/ids.ts'
import type { BrokerOrder, BrokerReport } from '../../../engine/ports/broker.ts'
import type { EventStore, StoredEvent } from '../../../engine/ports/event-store.ts'
import { ReadModel } from '../../../projections/read-model.ts'
import type {
  BookCreated,
  MarketBar,
  OrderFilled,
  OrderIntended,
  RiskVerdict,
  SignalReceived,
} from '../../../schemas/types.gen.ts'
import { bookStream } from '../../runtime/folder.ts'

/** What the simulated broker has on its disk. */
export interface Journal {
  submitted: BrokerOrder[]
  reports: BrokerReport[]
  /** Cash, fees and signed shares by symbol, where it left a snapshot at the end. */
  account: { cash: string; fees: string; positions: Record<string, string> } | null
}

/** Reads the broker's journal, also while it is written or after its writer was killed. */
export function readJournal(dir: string): Journal {
  const path = join(dir, 'sim-broker.db')
  const journal: Journal = { submitted: [], reports: [], account: null }
  if (!existsSync(path)) return journal
  const db = new Database(`${pathToFileURL(resolve(path)).href}?mode=ro`)
  try {
    db.pragma('busy_timeout = 5000')
    const tables = db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'snapshot'").raw()
    // Killed between making the file and filling it.
    if ((tables.get([]) as [number])[0] === 0) return journal
    const rows = (sql: string) => db.prepare(sql).raw().all([]) as unknown[][]
    for (const [body] of rows('SELECT body FROM commands ORDER BY number')) {
      const command = JSON.parse(String(body)) as { do: string; order?: BrokerOrder }
      if (command.do === 'submit') journal.submitted.push(command.order!)
    }
    for (const [body] of rows('SELECT body FROM reports ORDER BY sequence')) {
      journal.reports.push(JSON.parse(String(body)) as BrokerReport)
    }
    const [[head] = [0]] = rows('SELECT command FROM head')
    for (const [command, body] of rows('SELECT command, body FROM snapshot')) {
      const { exchange } = JSON.parse(String(body)) as { exchange: { account: Journal['account'] } }
      if (command === head) journal.account = exchange.account
    }
    return journal
  } finally {
    db.close()
  }
}

/** A book as far as it was read; goes on reading where it ended. */
export class BookReader {
  readonly stored: StoredEvent[] = []
  readonly events: RecordedEvent[] = []
  readonly #open: () => Promise<EventStore | null>
  #store: EventStore | null = null

  /** `open` answers null while there is no book yet. */
  constructor(open: () => Promise<EventStore | null>) {
    this.#open = open
  }

  async refresh(): Promise<readonly RecordedEvent[]> {
    this.#store ??= await this.#open()
    if (this.#store === null) return this.events
    for await (const page of this.#store.read(bookStream(), this.stored.length)) {
      for (const event of page) {
        this.stored.push(event)
        this.events.push(decodeBody(event))
      }
    }
    return this.events
  }

  /** Lets go of the store; a later refresh opens it again, and looks at everything anew. */
  async close(): Promise<void> {
    await this.#store?.close()
    this.#store = null
    this.stored.length = 0
    this.events.length = 0
  }
}

/** What was put in, and has to be in the book exactly once. */
export interface Published {
  /** Times of the bars, as recorded. */
  bars: readonly string[]
  /** Ids of the manual signals that NATS said it had stored. */
  signals: readonly string[]
}

/** What must hold at every instant, and so also right after a kill. */
export function auditAnyTime(events: readonly RecordedEvent[], journal: Journal): string[] {
  const faults: string[] = []
  const intents = intentsOf(events)
  const ids = new Map<string, number>()
  for (const order of journal.submitted) {
    const intent = intents.get(order.clientOrderId)
    if (intent === undefined) {
      faults.push(`the broker was sent ${order.clientOrderId}, which is not in the book`)
    } else if (intent.qty !== order.qty || intent.side !== order.side) {
      faults.push(`the broker was sent ${order.clientOrderId} otherwise than the book has it`)
    }
    const known = ids.get(order.clientOrderId)
    if (known !== undefined && known !== order.orderId) {
      faults.push(`${order.clientOrderId} names two orders, ${known} and ${order.orderId}`)
    }
    ids.set(order.clientOrderId, order.orderId)
  }
  const named = new Map<number, string>()
  for (const [id, orderId] of ids) {
    if (named.has(orderId)) faults.push(`duplicate order: ${orderId} was sent as ${id} too`)
    named.set(orderId, id)
  }
  const taken = new Map<string, number>()
  const filled = new Map<string, number>()
  for (const { kind, clientOrderId: id, qty } of journal.reports) {
    if (kind === 'accepted' || kind === 'rejected') taken.set(id, (taken.get(id) ?? 0) + 1)
    if (kind === 'filled') filled.set(id, (filled.get(id) ?? 0) + Number(qty))
  }
  for (const [id, count] of taken) {
    if (count > 1) faults.push(`duplicate order: the broker took ${id} ${count} times`)
  }
  for (const [id, count] of filled) {
    const ordered = Number(intents.get(id)?.qty)
    if (!(count <= ordered)) faults.push(`${id} was filled with ${count} of ${ordered}`)
  }
  return faults
}

/** What must hold once everything has come to rest; `journal` of a broker that was stopped cleanly. */
export function auditAtRest(
  events: readonly RecordedEvent[],
  journal: Journal,
  published: Published,
): string[] {
  const faults = auditAnyTime(events, journal)
  const bars = dataOf<MarketBar>(events, 'market.bar').map(({ time }) => time)
  faults.push(...onceEach('bar', published.bars, bars))
  if (bars.some((time, i) => i > 0 && time < bars[i - 1]!)) faults.push('bars are out of order')
  const received = dataOf<SignalReceived>(events, 'signal.received').map(({ signalId }) => signalId)
  faults.push(...onceEach('signal', published.signals, received))
  const judged = dataOf<RiskVerdict>(events, 'risk.verdict').filter(({ source }) =>
    source.startsWith('operator:'),
  )
  faults.push(
    ...onceEach(
      'verdict on signal',
      received,
      judged.map(({ signalId }) => signalId),
    ),
  )
  const said = journal.reports.map(({ sequence }) => String(sequence))
  const heard = events
    .map(({ data }) => (data as { brokerSequence?: number }).brokerSequence)
    .filter((sequence) => sequence !== undefined)
  faults.push(...onceEach('report', said, heard.map(String)))
  const known = new Set(journal.submitted.map((order) => order.clientOrderId))
  const withheld = new Set(
    dataOf<{ orderId: number }>(events, 'order.withheld').map(({ orderId }) => orderId),
  )
  for (const [id, { orderId }] of intentsOf(events)) {
    if (!known.has(id) && !withheld.has(orderId)) faults.push(`order ${orderId} was never sent`)
  }
  for (const type of ['order.anomaly', 'input.refused', 'order.outcome_unknown']) {
    const count = events.filter((event) => event.type === type).length
    if (count > 0) faults.push(`${count} ${type} in the book`)
  }
  faults.push(...comparePositions(events, journal))
  return faults
}

/** What the fills were, without ids of the book: alike in runs that decide alike. */
export function fillLines(events: readonly RecordedEvent[]): string {
  return dataOf<OrderFilled>(events, 'order.filled')
    .map(
      ({ orderId, side, qty, price, fee, occurredAt }) =>
        `${orderId} ${side} ${qty} at ${price} fee ${fee} ${occurredAt}`,
    )
    .join('\n')
}

function comparePositions(events: readonly RecordedEvent[], { account }: Journal): string[] {
  if (account === null) return ['the broker left no snapshot of its account']
  const model = new ReadModel()
  for (const event of events) model.apply(event)
  const { cash, fees, positions } = model.portfolioBody()
  const held = Object.fromEntries(positions.map(({ symbol, qty }) => [symbol, qty]))
  const book = JSON.stringify({ cash, fees, positions: sorted(held) })
  const broker = JSON.stringify({
    cash: account.cash,
    fees: account.fees,
    positions: sorted(account.positions),
  })
  return book === broker ? [] : [`the book has ${book}, the broker ${broker}`]
}

function sorted(record: Record<string, string>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

function intentsOf(events: readonly RecordedEvent[]): Map<string, OrderIntended> {
  const [created] = dataOf<BookCreated>(events, 'book.created')
  return new Map(
    dataOf<OrderIntended>(events, 'order.intended').map((intent) => [
      clientOrderId(created?.bookId ?? '', intent.orderId),
      intent,
    ]),
  )
}

function dataOf<T>(events: readonly RecordedEvent[], type: string): T[] {
  return events.filter((event) => event.type === type).map(({ data }) => data as T)
}

function onceEach(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const id of found) counts.set(id, (counts.get(id) ?? 0) + 1)
  const lost = wanted.filter((id) => !counts.has(id))
  const twice = [...counts].filter(([, count]) => count > 1).map(([id]) => id)
  const asked = new Set(wanted)
  const strange = [...counts.keys()].filter((id) => !asked.has(id))
  return [
    ...(lost.length > 0 ? [`lost: ${what} ${shown(lost)}`] : []),
    ...(twice.length > 0 ? [`more than once in the book: ${what} ${shown(twice)}`] : []),
    ...(strange.length > 0 ? [`in the book, and never published: ${what} ${shown(strange)}`] : []),
  ]
}

function shown(ids: readonly string[]): string {
  return ids.length > 5
    ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`
    : ids.join(', ')
}
