// The other end of a plain JetStream round trip, in a process of its own as the engine is: reads a stream by a pull
// consumer, acknowledges each message, and notes when each came. NATS_URL STREAM CONSUMER as arguments; answers over
// IPC: 'ready', then on any message all of [number, time].
import { connect } from 'nats'

const [url, stream, consumer] = process.argv.slice(2)
const nc = await connect({ servers: url })
const messages = await (await nc.jetstream().consumers.get(stream, consumer)).consume({
  max_messages: 2000,
})
/** @type {[number, number][]} */
const came = []
process.on('message', () => {
  process.send?.(came, () => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
for await (const message of messages) {
  const [seconds, nanos] = process.hrtime()
  message.ack()
  came.push([Number(message.json().n), seconds * 1000 + nanos / 1e6])
}
