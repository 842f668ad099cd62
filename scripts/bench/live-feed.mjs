// A source of market data outside the engine, in a process of its own: publishes the bars of live-inputs at a steady
// rate, many in flight, as a connection to a market does. NATS_URL BARS_PER_SECOND FROM_MINUTE as arguments; ends when told, or when
// its parent does. It does not wait for the engine: bars that the engine cannot take queue up in the stream.
import { connect, headers } from 'nats'
import { bar } from './live-inputs.mjs'

const FEED = 'bench'
const [url, rate, minute] = process.argv.slice(2)
const perMs = Number(rate) / 1000
const nc = await connect({ servers: url })
const js = nc.jetstream()
process.on('message', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

let failed = 0
let sent = 0
const began = performance.now()
for (;;) {
  const due = Math.floor((performance.now() - began) * perMs)
  for (; sent < due; sent++) {
    const body = { feed: FEED, timeframe: '1m', revision: 0, ...bar(sent, Number(minute)) }
    const { symbol, timeframe, time } = body
    const options = { msgID: `${FEED}|${symbol}|${timeframe}|${time}`, headers: headers() }
    js.publish(`md.bar.${timeframe}.${symbol}`, JSON.stringify(body), options).catch((error) => {
      if (++failed === 1) console.error(`a bar could not be published: ${error.message}`)
    })
  }
  await new Promise((resolve) => setTimeout(resolve, 1))
}
