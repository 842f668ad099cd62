import fc from 'fast-check'
import type { ChainSettings, RiskLimits } from '../../schemas/types.gen.ts'
import type { StateTable } from '../chain/state-table.ts'
import { dueBefore } from '../chain/timers.ts'
import { add, format, max, ONE, parse, sub } from '../decimal.ts'
import { exitsAway, type Exits } from './exits.ts'
import {
  action,
  adjusted,
  bar,
  charged,
  control,
  dayEnd,
  fill,
  type Input,
  opened,
  type PlainReport,
  replacement,
  report,
  settings,
  signal,
  started,
  timer,
} from './fixtures.ts'

export const SYMBOLS = ['A', 'B', 'C'] as const

/** A decimal as text: up to `whole` digits before the point and `decimals` after it, with or without a sign. */
export function decimalText(whole = 12, decimals = 9): fc.Arbitrary<string> {
  const digits = (count: number) =>
    fc.array(fc.nat(9), { minLength: 1, maxLength: count }).map((array) => array.join(''))
  return fc
    .tuple(fc.constantFrom('', '-'), digits(whole), fc.option(digits(decimals)))
    .map(([sign, left, right]) => `${sign}${left}${right === null ? '' : `.${right}`}`)
}

/**
 * A price in cents, as text: mostly from 30.00 to 60.00, near enough to each other to trade, far enough to
 * lose; now and then from 1.00 to 200.00, where more can be lost than there is.
 */
export const price: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 5, arbitrary: fc.integer({ min: 3000, max: 6000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 20_000 }) },
  )
  .map((cents) => String(cents / 100))

/** Shares above zero, mostly whole. */
export const shares: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }).map(String) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 500_000 }).map((n) => String(n / 1000)) },
)

/** Closes of a random walk in cents, never below 1.00. */
export function walk(length: { min: number; max: number }): fc.Arbitrary<number[]> {
  return fc
    .array(fc.integer({ min: -250, max: 250 }), {
      minLength: length.min,
      maxLength: length.max,
      size: 'max',
    })
    .map((moves) => {
      let cents = 5000
      return moves.map((move) => {
        cents = Math.max(100, cents + move)
        return cents / 100
      })
    })
}

/** A step of a history; what it becomes depends on the state it meets. */
export type Move =
  | { do: 'bar'; symbol: string; close: string; days: number }
  | {
      do: 'signal'
      symbol: string
      side: 'buy' | 'sell' | 'close'
      size: SignalSize
      price: string
      type: 'market' | 'limit' | 'stop'
      late: boolean
      exits: Exits
    }
  | { do: 'report'; kind: PlainReport; pick: number }
  | { do: 'fill'; pick: number; part: number; price: string; fee: string }
  | { do: 'stray'; orderId: number; kind: PlainReport | 'fill'; symbol: string }
  | { do: 'control'; action: 'halt' | 'resume' | 'cancel-all' | 'flatten' }
  | { do: 'change'; pick: number; to: 'cancel' | 'double' | 'same' | { limitPrice: string } }
  | { do: 'answer'; replaced: boolean }
  | { do: 'adjust'; pick: number; qty: string }
  | { do: 'action'; symbol: string; kind: 'split' | 'dividend' | 'delist'; value: string }
  | { do: 'charge'; amount: string }
  | { do: 'restart'; settings: ChainSettings }

type SignalSize = { qty: string } | { notional: string }

const symbol = fc.constantFrom(...SYMBOLS)
const plainReport = fc.constantFrom<PlainReport>(
  'accepted',
  'accepted',
  'accepted',
  'accepted',
  'held',
  'cancel_rejected',
  'rejected',
  'canceled',
  'expired',
  'withheld',
  'outcome_unknown',
)

export const limits: fc.Arbitrary<RiskLimits | null> = fc.option(
  fc.record(
    {
      maxOrderNotional: fc.constantFrom('1000', '20000'),
      maxPosition: fc.constantFrom('50', '400'),
      maxGrossExposure: fc.constantFrom('0.5', '1', '3'),
      priceCollar: fc.constantFrom('0.05', '0.5'),
      maxDailyLoss: fc.constantFrom('0.01', '0.1', '1000'),
      maxDrawdown: fc.constantFrom('0.05', '0.3', '1000'),
    },
    { requiredKeys: [] },
  ),
)

const strategies: fc.Arbitrary<ChainSettings['strategies']> = fc.constantFrom(
  [],
  [{ name: 'sma_cross', params: { fast: 2, slow: 3, size: '10' } }],
  [{ name: 'sma_cross', params: { fast: 1, slow: 4, mode: 'reverse', size: 'all' } }],
  [
    { name: 'sma_cross', params: { fast: 2, slow: 5, mode: 'reverse', size: '7.5' } },
    {
      name: 'mean_reversion',
      params: { period: 2, average: 3, band: 0, mode: 'long-short', size: '20' },
    },
  ],
)

/** Settings that trade often on few bars. */
export const busySettings: fc.Arbitrary<ChainSettings> = fc
  .record({
    risk: limits,
    strategies,
    feed: fc.constantFrom('historical' as const, 'realtime' as const),
    symbols: fc.constantFrom<string[]>([], ['A', 'C']),
  })
  .map(settings)

export const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('bar' as const),
      symbol,
      close: price,
      days: fc.constantFrom(0, 1, 1, 2),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('signal' as const),
      symbol,
      side: fc.constantFrom('buy' as const, 'sell' as const, 'close' as const),
      size: fc.oneof(
        shares.map((qty) => ({ qty })),
        fc.constant({ qty: 'all' }),
        fc.integer({ min: 1, max: 9000 }).map((n) => ({ notional: String(n) })),
        fc.constant({ qty: '20' }),
      ),
      price,
      type: fc.constantFrom(
        'market' as const,
        'market' as const,
        'limit' as const,
        'stop' as const,
      ),
      late: fc.constantFrom(false, false, false, true),
      exits: fc.constantFrom(
        'none' as const,
        'none' as const,
        'bracket' as const,
        'bracket' as const,
        'take_profit' as const,
        'trailing' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      pick: fc.nat(5),
      to: fc.oneof(
        fc.constant('cancel' as const),
        fc.constant('double' as const),
        fc.constant('double' as const),
        fc.constant('same' as const),
        price.map((limitPrice) => ({ limitPrice })),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('answer' as const), replaced: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('adjust' as const), pick: fc.nat(5), qty: shares }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('action' as const),
      symbol,
      kind: fc.constantFrom('split' as const, 'dividend' as const, 'delist' as const),
      value: fc.constantFrom('2', '7', '0.25', '0.3333', '1.5'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('charge' as const),
      amount: fc.constantFrom('0.5', '-0.25', '3'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      kind: plainReport,
      pick: fc.nat(5),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('fill' as const),
      pick: fc.nat(5),
      part: fc.constantFrom(0.25, 0.5, 1, 1, 1.5),
      price,
      fee: fc.constantFrom('0', '1', '0.333333333', '-0.05'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('stray' as const),
      orderId: fc.integer({ min: 1, max: 12 }),
      kind: fc.oneof(plainReport, fc.constant('fill' as const)),
      symbol: fc.constantFrom(...SYMBOLS, 'ZZZ'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('control' as const),
      action: fc.constantFrom(
        'halt' as const,
        'resume' as const,
        'resume' as const,
        'cancel-all' as const,
        'flatten' as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('restart' as const), settings: busySettings }),
  },
)

/** A random history: the settings it begins with, and what happens. */
export const history: fc.Arbitrary<{ settings: ChainSettings; moves: Move[] }> = fc.record({
  settings: busySettings,
  moves: fc.array(move, { minLength: 1, maxLength: 80, size: 'max' }),
})

/**
 * Plays a history as inputs. `take` must run each through a chain whose table is `table`: fills are for
 * orders that are open there, and timers that fall due there come first, as a host sequences them.
 */
export function play(
  from: { settings: ChainSettings; moves: readonly Move[] },
  table: StateTable,
  take: (input: Input) => void,
): void {
  let day = 0
  const sequence = (input: Input): void => {
    for (
      let due = dueBefore(table.timers, input.at);
      due !== null;
      due = dueBefore(table.timers, input.at)
    ) {
      take(timer(due.name, due.dueAt))
    }
    take(input)
  }
  for (const input of opened(from.settings)) sequence(input)
  for (const name of ['A', 'B']) sequence(bar(name, 0, '45'))
  for (const [index, made] of from.moves.entries()) {
    if (made.do === 'bar') day += made.days
    const input = inputOf(made, table, day, index)
    if (input !== null) sequence(input)
  }
}

function inputOf(made: Move, table: StateTable, day: number, index: number): Input | null {
  const open = [...table.orders.open.values()]
  switch (made.do) {
    case 'bar':
      return bar(made.symbol, day, made.close)
    case 'signal':
      return signal(day, {
        signalId: `m${index}`,
        symbol: made.symbol,
        side: made.side,
        ...(made.side === 'close' && 'notional' in made.size ? {} : made.size),
        orderType: made.type,
        ...(made.type === 'limit' && { limitPrice: made.price }),
        ...(made.type === 'stop' && { stopPrice: made.price }),
        ...(made.late && { validForMs: 500 }),
        ...(made.side !== 'close' && exitsAway(made.side, made.price, made.exits)),
      })
    case 'report': {
      const order = open[made.pick % Math.max(1, open.length)]
      return order === undefined ? null : report(day, order.orderId, made.kind, order.symbol)
    }
    case 'fill': {
      const order = open[made.pick % Math.max(1, open.length)]
      if (order === undefined) return null
      const left = max(ONE, sub(order.qty, order.filledQty))
      const text = format(left)
      const qty = made.part === 1 ? text : String(Math.max(1, Math.round(Number(text) * made.part)))
      const complete = parse(qty) >= left
      return fill(day, order.orderId, order.side, qty, made.price, {
        symbol: order.symbol,
        fee: made.fee,
        complete,
      })
    }
    case 'stray':
      return made.kind === 'fill'
        ? fill(day, made.orderId, 'buy', '3', '50', {
            symbol: made.symbol,
            complete: index % 2 === 0,
          })
        : report(day, made.orderId, made.kind, made.symbol)
    case 'control':
      return control(day, made.action, `k${index}`)
    case 'restart':
      return started(made.settings, dayEnd(day))
    case 'change': {
      // Mostly what the broker has; now and then any number.
      const there = open.filter(({ status }) => status !== 'intended' && status !== 'unknown')
      const order = made.pick === 5 ? undefined : there[made.pick % Math.max(1, there.length)]
      if (order === undefined && made.pick !== 5) return null
      const orderId = order?.orderId ?? made.pick
      if (made.to === 'cancel') return control(day, 'cancel-order', `k${index}`, { orderId })
      const qty = order?.qty ?? ONE
      const to =
        made.to === 'double'
          ? { qty: format(add(qty, qty)) }
          : made.to === 'same'
            ? { qty: format(qty) }
            : made.to
      return control(day, 'replace-order', `k${index}`, { orderId, ...to })
    }
    case 'answer': {
      const next = open.find((order) => order.replaces !== null)
      if (next === undefined) return null
      const kind = made.replaced ? 'replaced' : 'replace_rejected'
      return replacement(day, next.replaces!, kind, next.orderId)
    }
    case 'adjust': {
      const order = open[made.pick % Math.max(1, open.length)]
      return order === undefined ? null : adjusted(day, order.orderId, { qty: made.qty })
    }
    case 'action': {
      const { symbol: name, kind, value } = made
      const input = action(day, kind, kind === 'delist' ? undefined : value, { symbol: name })
      return { ...input, at: dayEnd(day) }
    }
    case 'charge':
      return charged(day, made.amount)
  }
}
