// A broker that trades as fast as it can until it is killed: `node … sim-broker-process.ts DIR BOOK FIRST`.
// What it was answered goes to stdout, a file, one line each: `K id`, the broker has it; `R json`, a report; `B day sequence`.
import { writeSync } from 'node:fs'
import { barToWire } from '../../engine/market/bar-wire.ts'
import type { BrokerOrder } from '../../engine/ports/broker.ts'
import { DAY_MS } from '../../engine/time.ts'
import { openSimBroker } from './sim-broker.ts'

const [dir = '', bookId = '', first = '1'] = process.argv.slice(2)
const say = (line: string) => writeSync(1, `${line}\n`)
const settings = {
  ...{ cash: '1000000', fill: 'next-open' as const, limitFill: 'through' as const },
  ...{ participation: 0, slippageBps: 1, commission: '0.001', feePerShare: '0', feeMin: '0' },
}
const broker = openSimBroker({ dir, settings, bookId })
broker.reports(0, (report) => say(`R ${JSON.stringify(report)}`))
process.send?.('ready')

/** An entry at the market with both legs; ids of their own, so that a process after this one can go on. */
function bracket(n: number): BrokerOrder {
  const common = { symbol: 'A', qty: '2', timeInForce: 'gtc' as const }
  const id = (letter: string, orderId: number) => ({
    clientOrderId: `${bookId}-${letter}${n}`,
    orderId,
  })
  return {
    ...{ ...id('e', 3_000_000 + n), ...common, side: 'buy', type: 'market' },
    orderClass: 'bracket',
    legs: [
      { ...id('t', 4_000_000 + n), ...common, side: 'sell', type: 'limit', limitPrice: '10.5' },
      { ...id('s', 5_000_000 + n), ...common, side: 'sell', type: 'stop', stopPrice: '8.5' },
    ],
  }
}

for (let n = Number(first); ; n += 3) {
  const price =
    n % 2 === 0 ? { type: 'limit' as const, limitPrice: '9' } : { type: 'market' as const }
  const submits = [n, n + 1, n + 2].map(async (orderId) => {
    const clientOrderId = `${bookId}-${orderId}`
    const side = orderId % 3 === 0 ? ('sell' as const) : ('buy' as const)
    await broker.submit({
      ...{ clientOrderId, orderId, symbol: 'A', side, qty: '2', timeInForce: 'gtc' },
      ...price,
    })
    say(`K ${clientOrderId}`)
  })
  await Promise.all(submits)
  if (n % 4 === 0) await broker.cancel(`${bookId}-${n}`)
  if (n % 2 === 0) {
    const orderId = 2_000_000 + n
    const by = { clientOrderId: `${bookId}-r${n}`, orderId, limitPrice: '8.5' }
    await broker.replace(`${bookId}-${n + 1}`, by)
    say(`K ${by.clientOrderId}`)
  } else await broker.submit(bracket(n))
  const prices = { open: 10, high: 11, low: 9 - (n % 5), close: 10 }
  const volume = Number.NaN
  const sequence = broker.onBar(
    barToWire({ symbol: 'A', time: n * DAY_MS, volume, ...prices }, 'file', '1d'),
  )
  say(`B ${n} ${sequence}`)
  for (let quiet = 0; quiet < 20; quiet++) {
    broker.onBar(
      barToWire({ symbol: 'B', time: (n * 20 + quiet) * 60_000, volume, ...prices }, 'file', '1m'),
    )
  }
}
